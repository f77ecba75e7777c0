"""The labeler whose answers are given in the app."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from labeling.answers import Labeled, Skipped
from labeling.app_labeler import AppLabeler
from labeling.labeler import Labeler
from streetloop.boxes import Box
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.history.app_answers import AppAnswer, put_app_answer
from streetloop.ledger.reviews import AskedFrame, FrameRecord
from tests.support.contracts.labeler_contract import LabelerContract
from tests.support.samples.frames import review

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FRAMES = [replace(review(k), width=640, height=360) for k in range(2)]


def answer(frame: FrameRecord, asks: int = 0, *, skips: bool = False) -> AppAnswer:
    boxes = None if skips else (Box(0, (1.0, 2.0, 30.0, 40.0)),)
    return AppAnswer(frame.digest, asks, ("car", "bus"), boxes, "ann", NOON)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


class TestAppLabeler(LabelerContract):
    @pytest.fixture
    def labeler(self, ledger: Ledger) -> Labeler:
        return AppLabeler(ledger)

    @pytest.fixture
    def frames(self) -> Sequence[FrameRecord]:
        return FRAMES

    @pytest.fixture
    def answer_all(self, ledger: Ledger) -> Callable[[], None]:
        def all_() -> None:
            for frame in FRAMES:
                put_app_answer(ledger, answer(frame))

        return all_


def test_an_answer_that_is_given_again_takes_the_place_of_the_first(ledger: Ledger) -> None:
    frame = FRAMES[0]
    put_app_answer(ledger, answer(frame))
    (first,) = AppLabeler(ledger).pull([AskedFrame(frame.digest)])
    assert isinstance(first, Labeled)
    assert (first.labeler, first.classes, first.boxes.xyxy.tolist()) == (
        "ann",
        ("car", "bus"),
        [[1, 2, 30, 40]],
    )
    put_app_answer(ledger, answer(frame, skips=True))
    (second,) = AppLabeler(ledger).pull([AskedFrame(frame.digest)])
    assert isinstance(second, Skipped)


def test_an_answer_to_an_earlier_question_does_not_count(ledger: Ledger) -> None:
    frame = FRAMES[0]
    put_app_answer(ledger, answer(frame, asks=0))
    assert AppLabeler(ledger).pull([AskedFrame(frame.digest, asks=1)]) == []
    put_app_answer(ledger, answer(frame, asks=1))
    assert len(AppLabeler(ledger).pull([AskedFrame(frame.digest, asks=1)])) == 1
