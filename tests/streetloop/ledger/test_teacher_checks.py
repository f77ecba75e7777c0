"""What people said of a teacher's boxes, in the ledger."""

from datetime import timedelta
from pathlib import Path

from streetloop.ledger import open_ledger
from streetloop.ledger.teacher_checks import TeacherCheck, count_checked, list_checks, replace_checks
from tests.support.samples.frames import NOON

CARS, BUSES = TeacherCheck("a", "cam", "car", 3, 4), TeacherCheck("a", "cam", "bus", 1, 1)


def test_the_newest_of_a_frame_counts_and_teachers_are_apart(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    replace_checks(ledger, "large", "a", [CARS, BUSES], NOON)
    replace_checks(ledger, "other", "a", [CARS], NOON)
    replace_checks(ledger, "large", "a", [BUSES], NOON + timedelta(hours=1))
    assert list_checks(ledger, "large") == [BUSES]
    assert count_checked(ledger, "large", NOON) == 1
    assert count_checked(ledger, "large", NOON + timedelta(hours=2)) == 0
    assert count_checked(ledger, "nobody", NOON) == 0
