"""Free ports for servers of tests."""

import contextlib
import random
import socket


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection will be given meanwhile.

    Ports that the system gives out itself (32768 and above on Linux) could be anybody's the moment
    after; these are only given to those who ask for them by number.
    """
    while True:
        port = random.SystemRandom().randrange(12000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
