"""The home, the folder of all state: that it can be written, and that one system runs in it."""

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import IO

from streetloop.errors import ConfigError

_LOCK_FILE = "running"
_WAY_OUT = "name a folder that this user may write to"


def require_home(home: Path) -> None:
    """Make the home if it is not there.

    Raises:
        ConfigError: It cannot be made or written; the message names the variable.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"STREETLOOP_HOME: {home} cannot be made: {error.strerror}; {_WAY_OUT}") from None
    try:
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        why = error.strerror
        raise ConfigError(f"STREETLOOP_HOME: {home} cannot be written: {why}; {_WAY_OUT}") from None


def spare_user_home(environ: MutableMapping[str, str], home: Path) -> None:
    """Keep matplotlib's cache in the home where the user's own cannot be written.

    Matplotlib complains otherwise.

    Args:
        environ: The environment of the process; changed only if ``HOME`` cannot be written.
        home: The folder of all state.
    """
    if not os.access(environ.get("HOME", "/"), os.W_OK):
        environ.setdefault("MPLCONFIGDIR", str(home.absolute() / "matplotlib"))


def is_home_in_use(home: Path) -> bool:
    """True if a process runs in the home, see `lock_home`."""
    try:
        refuse_home_in_use(home)
    except ConfigError:
        return True
    return False


def refuse_home_in_use(home: Path) -> None:
    """Refuse a home in which a process runs, without locking it.

    Raises:
        ConfigError: One does; the message names that process and its machine.
    """
    try:
        with (home / _LOCK_FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _in_use(home, file) from None
    except OSError:
        return


@contextlib.contextmanager
def lock_home(home: Path) -> Iterator[None]:
    """Keep every other system out of the home for the ``with`` block.

    The lock is the kernel's: it ends with the process, however that ends.

    Args:
        home: The folder of all state.

    Raises:
        ConfigError: The home cannot be written, or another process runs in it; the message names
            that process and its machine.
    """
    require_home(home)
    with _opened(home / _LOCK_FILE) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(home, file) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
        file.truncate(0)


def _in_use(home: Path, lock: IO[str]) -> ConfigError:
    lock.seek(0)
    who = lock.read().strip() or "another process"
    return ConfigError(f"STREETLOOP_HOME: {home} is in use by {who}; stop that, or name another folder")


def _opened(lock: Path) -> IO[str]:
    try:
        return lock.open("a+")
    except OSError as error:  # as where another user, such as root, has run in the home before
        raise ConfigError(
            f"STREETLOOP_HOME: {lock} cannot be written: {error.strerror}; "
            "remove it if no system runs there, or name another folder"
        ) from None
