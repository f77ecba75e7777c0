"""Frames of recorded streets with the boxes of a real detector, as triage keeps them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.sinks.candidate_store import CandidateStore
from labeling.scoring import Bands
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from streetloop.storage.store import ObjectStore
from streetloop.types import UNCONFIRMED, ArrayPicture, Frame, Image, Tracked
from streetloop.video import VideoReader
from tests.support.material import material
from train.model.model_file import ModelFile
from train.model.predictor import Predictor

CLIPS = ("videos/jamcam/tfl_1.mp4", "videos/jamcam/tfl_2.mp4", "videos/intersection-cctv_640x480.mp4")
SERVED = 0.25
_EVERY = 3  # pictures: neighbors are alike
_FLOOR = 0.1  # of a detector's weakest boxes
_IMAGE_SIZE = 320


def street_frames(model: ModelFile, store: ObjectStore, count: int) -> list[FrameRecord]:
    """As many frames from all clips, with the weak boxes that selection uses.

    Args:
        model: The detector.
        store: Receives the JPEGs.
        count: How many frames.
    """
    kept = CandidateStore(store, model.names, {}, Bands(), SERVED)
    predictor = Predictor(model, image_size=_IMAGE_SIZE)
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    for number, image in enumerate(_pictures(count)):
        found = predictor.predict(image, _FLOOR)
        tracked = Tracked(found, np.full(len(found), UNCONFIRMED, np.int64))
        at = began + timedelta(seconds=number)
        frame = Frame("street", number, float(number), at, 0.0, ArrayPicture(image))
        result = Result(frame, tracked, [], model.version, np.ones(len(found), np.bool_))
        kept.keep(kept.prepare(0.5, SelectionReason.UNSURE, result))
    return kept.collect()


def _pictures(count: int) -> Iterator[Image]:
    each = -(-count // len(CLIPS))
    every = (image for clip in CLIPS for image in islice(_of(material(clip)), each))
    return islice(every, count)


def _of(clip: Path) -> Iterator[Image]:
    with VideoReader(str(clip), clip.name) as reader:
        for number, (_, picture) in enumerate(reader.pictures()):
            if number % _EVERY == 0:
                yield picture.bgr()
