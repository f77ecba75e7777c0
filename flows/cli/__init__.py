"""The command line: each command calls the control service or a flow, and prints."""
