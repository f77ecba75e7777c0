"""What every `Labeler` must do, as tests: subclass `LabelerContract` and give it a labeler."""

from collections.abc import Callable, Sequence

import pytest

from labeling.answers import Labeled
from labeling.labeler import Labeler
from streetloop.ledger.reviews import AskedFrame, FrameRecord


class LabelerContract:
    """Override `labeler` and `frames`, and `answer_all` where somebody else has to answer."""

    @pytest.fixture
    def labeler(self) -> Labeler:
        """The labeler under test."""
        raise NotImplementedError

    @pytest.fixture
    def frames(self) -> Sequence[FrameRecord]:
        """Two frames at least that it can be asked about."""
        raise NotImplementedError

    @pytest.fixture
    def answer_all(self) -> Callable[[], None]:
        """Answers every frame that was pushed, as a person would."""
        return lambda: None

    def test_each_frame_is_told_as_soon_as_it_is_there(
        self, labeler: Labeler, frames: Sequence[FrameRecord]
    ) -> None:
        told: list[str] = []
        labeler.push(frames, told.append)
        assert told == [frame.digest for frame in frames]

    def test_every_frame_is_answered_once_in_pixels_of_its_image(
        self, labeler: Labeler, frames: Sequence[FrameRecord], answer_all: Callable[[], None]
    ) -> None:
        labeler.push(frames, lambda _: None)
        answer_all()
        answers = labeler.pull([AskedFrame(frame.digest) for frame in frames])
        assert sorted(a.digest for a in answers) == sorted(frame.digest for frame in frames)
        sizes = {frame.digest: (frame.width, frame.height) for frame in frames}
        for one in answers:
            if isinstance(one, Labeled):
                width, height = sizes[one.digest]
                assert (one.boxes.xyxy[:, 0::2] <= width).all()
                assert (one.boxes.xyxy[:, 1::2] <= height).all()
                assert (one.boxes.xyxy >= 0).all()
                assert all(one.classes[k] for k in one.boxes.class_id), "each class has a name"

    def test_a_frame_that_is_pushed_again_is_not_asked_twice(
        self, labeler: Labeler, frames: Sequence[FrameRecord], answer_all: Callable[[], None]
    ) -> None:
        for _ in range(2):
            labeler.push(frames, lambda _: None)
        answer_all()
        answers = labeler.pull([AskedFrame(frame.digest) for frame in frames])
        assert len(answers) == len(frames)

    def test_only_frames_that_wait_are_answered(
        self, labeler: Labeler, frames: Sequence[FrameRecord], answer_all: Callable[[], None]
    ) -> None:
        labeler.push(frames, lambda _: None)
        answer_all()
        (answer,) = labeler.pull([AskedFrame(frames[0].digest)])
        assert answer.digest == frames[0].digest

    def test_a_frame_that_nobody_was_asked_about_has_no_answer(self, labeler: Labeler) -> None:
        assert labeler.pull([AskedFrame("f" * 64)]) == []
