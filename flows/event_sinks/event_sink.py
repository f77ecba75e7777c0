"""What every event sink does."""

from collections.abc import Sequence
from typing import Protocol

from streetloop.ledger.alerts.event_changes import EventChange


class EventSink(Protocol):
    """Takes changes of events to one receiver. One thread calls it, and nobody else.

    It connects with the first `send`, and again with the first after an error.

    Attributes:
        batch_size: Most changes of one call. Higher is faster; a process that dies sends as many
            again.
        batches: Whether one send carries all changes that it is given, which is what the rate limit
            counts; else each change is a send.
    """

    batch_size: int
    batches: bool

    def send(self, changes: Sequence[EventChange]) -> None:
        """Hand changes over, in their order; the receiver has confirmed all of them at the return.

        A call takes a few times its time-out for each send at most, however the receiver behaves.

        Args:
            changes: At least one.

        Raises:
            EventSinkError: The receiver did not take one; ``taken`` says how many it took before.
                It may have taken others behind them, which are sent again. The message shows no
                secret.
        """

    def close(self) -> None:
        """Give the connection back; called once, at the end."""
