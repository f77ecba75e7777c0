"""What people said of a teacher's boxes, by frame and class."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import teacher_checks


@dataclass(frozen=True, slots=True)
class TeacherCheck:
    """Boxes of one class in one frame.

    Attributes:
        digest: Of the frame.
        camera_id: Its camera.
        class_name: The class.
        right: Boxes that a person left, or moved a little.
        checked: Boxes that a person saw.
    """

    digest: str
    camera_id: str
    class_name: str
    right: int
    checked: int


def replace_checks(
    ledger: Ledger, teacher: str, digest: str, checks: Sequence[TeacherCheck], at: datetime
) -> None:
    """Write what was said of a frame, in the place of what was said before.

    Args:
        ledger: The ledger.
        teacher: Whose boxes they are.
        digest: Of the frame.
        checks: One for each class.
        at: When it was said (UTC).

    Raises:
        LedgerError: The ledger cannot be written.
    """
    rows = [
        {
            "teacher": teacher,
            "digest": digest,
            "class_name": one.class_name,
            "camera_id": one.camera_id,
            "right_boxes": one.right,
            "checked": one.checked,
            "at": at,
        }
        for one in checks
    ]
    table = teacher_checks
    with ledger.transaction() as connection:
        before = (table.c.teacher == teacher) & (table.c.digest == digest)
        connection.execute(delete(table).where(before))
        if rows:
            connection.execute(insert(table), rows)


def list_checks(ledger: Ledger, teacher: str) -> list[TeacherCheck]:
    """What was said of a teacher's boxes, in order of time.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    table = teacher_checks
    columns = (table.c.digest, table.c.camera_id, table.c.class_name, table.c.right_boxes, table.c.checked)
    order = (table.c.at, table.c.digest, table.c.class_name)
    with ledger.snapshot() as connection:
        rows = connection.execute(select(*columns).where(table.c.teacher == teacher).order_by(*order))
        return [TeacherCheck(*row) for row in rows]


def count_checked(ledger: Ledger, teacher: str, since: datetime) -> int:
    """Boxes of a teacher that people have checked since a moment (UTC).

    Raises:
        LedgerError: The ledger cannot be read.
    """
    table = teacher_checks
    wanted = (table.c.teacher == teacher) & (table.c.at >= since)
    with ledger.snapshot() as connection:
        return int(connection.execute(select(func.sum(table.c.checked)).where(wanted)).scalar() or 0)
