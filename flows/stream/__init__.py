"""The stream flow: source -> gate -> mailbox -> batch -> detector -> tracker -> rules -> taps.

Plain Python throughout: a unit test drives all of it without Ray.
"""
