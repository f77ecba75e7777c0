"""This machine: its home folder, files, processes, threads and proxies."""
