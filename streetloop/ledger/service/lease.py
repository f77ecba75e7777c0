"""The lease of a ledger: one process at a time runs its application.

A holder raises a number of beats every few seconds. Whoever wants the lease looks whether the
number still rises, so that no two clocks have to agree. Every holder has a greater fencing token
than the one before. A process that was held up until another took its lease is refused at its next
write, in the transaction of that write.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.errors import ConfigError, LeaseLost, LedgerError
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import leases

_log = logging.getLogger(__name__)

_NAME = "application"
_BEAT_S = 3.0
_SILENT_S = 12.0
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lease, or wants it.

    Attributes:
        host: Name of its machine.
        process: Its id there.
        began: When it began, in seconds since 1970.
    """

    host: str
    process: int
    began: float

    @classmethod
    def here(cls) -> "Holder":
        """This process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    def is_gone(self, here: "Holder") -> bool:
        """True if it is known to have ended: its machine is this one, and has no such process."""
        if self.host != here.host:
            return False
        try:
            found = psutil.Process(self.process)
            return found.create_time() != self.began or found.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False


class Lease:
    """A lease that this process holds.

    Args:
        ledger: Whose lease it is.
        token: Its fencing token.
    """

    def __init__(self, ledger: Ledger, token: int) -> None:
        self._ledger, self.token = ledger, token
        self._told: Callable[[], None] = lambda: None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self.is_lost = False

    def on_loss(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called once the lease is lost, now if it is already."""
        self._told = tell
        if self.is_lost:
            tell()

    def start(self) -> None:
        """Begin to renew it."""
        self._thread.start()

    def close(self) -> None:
        """Give it back."""
        self._closed.set()
        self._thread.join()
        with contextlib.suppress(LedgerError):  # the next one sees that it is not renewed
            self._change(host=None)

    def require(self, connection: Connection) -> None:
        """Refuse to write if another process has the lease.

        Raises:
            LeaseLost: Another has it; the message names that.
        """
        row = _read(connection)
        if row is not None and row.token != self.token:
            raise LeaseLost(
                f"{_holder(row) or 'another process'} runs the application of the ledger "
                f"{self._ledger.shown} now; this process writes nothing more"
            )

    def _beat(self) -> None:
        while not self._closed.wait(_BEAT_S):
            try:
                self._change(beats=leases.c.beats + 1)
            except LeaseLost as error:
                _log.error("%s", error)
                self.is_lost = True
                self._told()
                return
            except LedgerError as error:
                _log.warning("the lease is not renewed, and is tried again: %s", error)

    def _change(self, **values: object) -> None:
        with self._ledger.transaction() as connection:  # which is fenced, see `hold_lease`
            connection.execute(update(leases).where(leases.c.token == self.token).values(**values))


@contextlib.contextmanager
def hold_lease(ledger: Ledger, silent_s: float = _SILENT_S) -> Iterator[Lease]:
    """Hold the lease of a ledger for the ``with`` block; every write of the process is fenced.

    The lease of a process that ended without giving it back is taken: at once if it ran on this
    machine, else after it has not been renewed for ``silent_s``.

    Args:
        ledger: The ledger; every ledger that this process opens with its URL is fenced, too.
        silent_s: How long a lease may go without being renewed, in seconds. Longer bears a longer
            outage of the ledger, and delays the successor of a machine that is gone.

    Raises:
        ConfigError: Another process has the lease; the message names it.
        LedgerError: The ledger cannot be written.
    """
    lease = Lease(ledger, _take(ledger, Holder.here(), silent_s))
    with ledger.fenced(lease.require):
        lease.start()
        try:
            yield lease
        finally:
            lease.close()


def holder_of(ledger: Ledger) -> Holder | None:
    """Who holds the lease, or held it to the end of its life; None if it was given back.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    row = _look(ledger)
    return None if row is None else _holder(row)


def refuse_held_lease(ledger: Ledger, silent_s: float = _SILENT_S) -> None:
    """Refuse a ledger whose lease a process renews, without taking it.

    Args:
        ledger: The ledger.
        silent_s: As of `hold_lease`; so long it takes where the holder is of another machine and
            gone.

    Raises:
        ConfigError: A process renews it; the message names that.
        LedgerError: The ledger cannot be read.
    """
    row = _look(ledger)
    holder = None if row is None else _holder(row)
    if row is not None and holder is not None:
        _refuse_living(ledger, row, holder, Holder.here(), silent_s)


def _take(ledger: Ledger, me: Holder, silent_s: float) -> int:
    """Take the lease; its token."""
    before = _look(ledger)
    holder = None if before is None else _holder(before)
    if before is not None and holder is not None:
        _refuse_living(ledger, before, holder, me, silent_s)
    with ledger.transaction() as connection:
        row = _read(connection)
        if row is not None and (before is None or (row.token, row.beats) != (before.token, before.beats)):
            raise _in_use(ledger, _holder(row))
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        token = 1 if row is None else row.token + 1
        values = {"host": me.host, "process": me.process, "process_began": me.began, "beats": 0}
        new = kind.insert(leases).values(name=_NAME, token=token, **values)
        values["token"] = token
        connection.execute(new.on_conflict_do_update(index_elements=[leases.c.name], set_=values))
    return token


def _refuse_living(
    ledger: Ledger, before: "Row[tuple[object, ...]]", holder: Holder, me: Holder, silent_s: float
) -> None:
    """Watch the lease until it is clear whether its holder lives.

    Raises:
        ConfigError: It was renewed.
    """
    end, tick = time.monotonic() + silent_s, threading.Event()
    while time.monotonic() < end and not holder.is_gone(me):
        tick.wait(_LOOK_S)
        row = _look(ledger)
        if row is not None and row.beats != before.beats:
            raise _in_use(ledger, _holder(row))
        if row is not None and row.host is None:
            return


def _in_use(ledger: Ledger, holder: Holder | None) -> ConfigError:
    return ConfigError(
        f"the ledger {ledger.shown} is in use by {holder or 'another process'}, "
        "and one application runs on a ledger at a time: stop that, or name another ledger"
    )


def _look(ledger: Ledger) -> "Row[tuple[object, ...]] | None":
    with ledger.snapshot() as connection:
        return _read(connection)


def _read(connection: Connection) -> "Row[tuple[object, ...]] | None":
    return connection.execute(select(leases).where(leases.c.name == _NAME)).one_or_none()


def _holder(row: "Row[tuple[object, ...]]") -> Holder | None:
    return None if row.host is None else Holder(row.host, row.process, row.process_began)
