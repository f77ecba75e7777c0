"""Who labels: people behind Label Studio, or the oracle of the simulated city."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from labeling.task import Answer, Task


class Labeler(Protocol):
    """Takes frames and gives answers some time later.

    Nothing here is remembered by the caller between calls but which digests wait; an
    implementation must therefore be safe to repeat: a process may die between a call and the note
    that it succeeded.
    """

    def push(self, tasks: Sequence[Task], pushed: Callable[[str], None]) -> None:
        """Ask about frames; one that has been asked about already is not asked again.

        Args:
            tasks: Which frames.
            pushed: Called with the digest of each as soon as it is safely there.

        Raises:
            LabelerError: Not all could be handed over; those that were have been told.
        """

    def pull(self, waiting: Collection[str]) -> list[Answer]:
        """The answers there are now for frames that wait, each at most once; in no order.

        Args:
            waiting: Digests of frames that were pushed and not answered.

        Raises:
            LabelerError: The answers cannot be fetched now.
        """
