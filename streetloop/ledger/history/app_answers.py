"""Answers to frames of the review queue that people gave in the app."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.boxes import Boxes
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import app_answers

_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class AppAnswer:
    """What somebody said about a frame.

    Attributes:
        digest: Of the frame.
        asks: How many times the frame had been asked anew.
        classes: Class names that could be chosen from.
        boxes: In pixels, with class ids into `classes`; None if the frame was skipped.
        labeler: Who answered.
        at: When (UTC).
    """

    digest: str
    asks: int
    classes: tuple[str, ...]
    boxes: Boxes | None
    labeler: str
    at: datetime


def put_app_answer(ledger: Ledger, answer: AppAnswer) -> None:
    """Store an answer in the place of the one before.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    row = {**asdict(answer), "boxes": answer.boxes}
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = kind.insert(app_answers)
        replaced = {name: new.excluded[name] for name in row if name != "digest"}
        key = [app_answers.c.digest]
        connection.execute(new.on_conflict_do_update(index_elements=key, set_=replaced), row)


def list_app_answers(ledger: Ledger, digests: Collection[str]) -> list[AppAnswer]:
    """The answers to some frames, in any order.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    found: list[AppAnswer] = []
    wanted = sorted(digests)
    with ledger.snapshot() as connection:
        for start in range(0, len(wanted), _PER_STATEMENT):
            part = wanted[start : start + _PER_STATEMENT]
            query = select(app_answers).where(app_answers.c.digest.in_(part))
            found += [AppAnswer(**row) for row in connection.execute(query).mappings()]
    return found
