"""Checks of a teacher's boxes in the ledger."""

from collections.abc import Sequence
from datetime import datetime

from labeling.teacher.trust import Check
from streetloop.ledger import Ledger
from streetloop.ledger.teacher_checks import TeacherCheck, count_checked, list_checks, replace_checks


class LedgerChecks:
    """A `labeling.teacher.teacher_labeler.Checks`.

    Args:
        ledger: The ledger.
        teacher: Name of the teacher.
    """

    def __init__(self, ledger: Ledger, teacher: str) -> None:
        self._ledger, self._teacher = ledger, teacher

    def add(self, digest: str, checks: Sequence[Check], at: datetime) -> None:
        """See `Checks.add`."""
        rows = [TeacherCheck(digest, c.camera_id, c.class_name, c.right, c.checked) for c in checks]
        replace_checks(self._ledger, self._teacher, digest, rows, at)

    def all(self) -> list[Check]:
        """See `Checks.all`."""
        return [
            Check(one.camera_id, one.class_name, one.right, one.checked)
            for one in list_checks(self._ledger, self._teacher)
        ]

    def checked_since(self, moment: datetime) -> int:
        """See `Checks.checked_since`."""
        return count_checked(self._ledger, self._teacher, moment)
