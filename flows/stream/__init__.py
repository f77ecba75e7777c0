"""The stream flow: from cameras to sinks.

source -> motion gate -> mailbox -> batch -> detector -> tracker -> counting lines -> sinks

Plain Python throughout: unit tests drive all of it without Ray.
"""
