"""Heads and plates: unrecognisable where they are, and nothing else changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flows.stream.sinks.annotated_video import Annotator
from flows.stream.sinks.anomaly_evidence import AnomalyEvidence
from flows.stream.sinks.candidate_store import CandidateStore
from labeling.scoring import Bands
from streetloop.cameras.camera_file import parse_camera
from streetloop.drawing.anonymise import Anonymiser, anonymised_cameras, blur_heads_and_plates
from streetloop.images import decode_image
from streetloop.ledger.reviews import SelectionReason
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from streetloop.types import ArrayPicture, Image
from streetloop.video import VideoReader
from tests.flows.stream.sinks.test_anomaly_evidence import BEGIN
from tests.support.stream_flow.build import camera, found, frame, result

NAMES = ("person", "car", "dog")
BOX = (100.0, 100.0, 200.0, 300.0)
HEAD, PLATE = (slice(100, 155), slice(105, 195)), (slice(195, 295), slice(110, 190))


def noise() -> Image:
    """Black and white pixels at random: what is blurred has no edges left."""
    return np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (400, 400, 1)).repeat(3, axis=2)


def roughness(image: Image) -> float:
    """Mean difference of neighbors."""
    return float(np.abs(np.diff(image[..., 0].astype(int), axis=1)).mean())


@pytest.mark.parametrize(("name", "where"), [("person", HEAD), ("car", PLATE), ("Truck", PLATE)])
def test_the_region_has_no_detail_left_and_the_rest_all_of_it(name: str, where: tuple[slice, slice]) -> None:
    image, before = noise(), noise()
    blur_heads_and_plates(image, np.array([BOX], np.float32), [name])
    assert roughness(before[where]) > 100
    assert roughness(image[where]) < 10
    untouched = np.ones(image.shape[:2], bool)
    untouched[90:310, 95:205] = False
    assert (image == before)[untouched].all()
    other = PLATE if where == HEAD else HEAD
    assert roughness(image[other]) > 50


@pytest.mark.parametrize(
    "box", [(-50, -20, 30, 60), (350, 380, 500, 500), (10, 10, 10.4, 10.4), (500, 5, 600, 9)]
)
def test_boxes_at_the_edge_and_beyond_do_no_harm(box: tuple[float, ...]) -> None:
    image = noise()
    blur_heads_and_plates(image, np.array([box, box], np.float32), ["person", "car"])
    assert image.shape == (400, 400, 3)


def test_other_classes_stay_as_they_are() -> None:
    image = noise()
    blur_heads_and_plates(image, np.array([BOX], np.float32), ["dog"])
    assert (image == noise()).all()


def test_a_camera_says_for_itself_and_the_settings_for_the_others() -> None:
    plain = {"uri": "rtsp://10.0.0.1/a"}
    cameras = [
        parse_camera({"id": name, **plain, **own})
        for name, own in (("a", {}), ("b", {"anonymise": "off"}), ("c", {"anonymise": "heads_and_plates"}))
    ]
    assert anonymised_cameras(cameras, Settings()) == {"c"}
    assert anonymised_cameras(cameras, Settings(anonymise="heads_and_plates")) == {"a", "c"}


@pytest.mark.parametrize("hidden", [True, False])
def test_what_is_stored_is_blurred(tmp_path: Path, hidden: bool) -> None:
    """Candidates, which label tasks show, evidence of events, and the annotated video."""
    hide, store = Anonymiser(["a"] if hidden else [], NAMES), FolderStore(tmp_path / "store")
    seen = result(frame(picture=ArrayPicture(noise())), found(BOX), [1])
    candidates = CandidateStore(store, NAMES, {}, Bands(), 0.25, hide)
    candidates.keep(candidates.prepare(0.5, SelectionReason.RANDOM, seen))
    evidence = AnomalyEvidence(store, hide)
    evidence.take(replace(seen, anomalies=(BEGIN,)))
    evidence.close()
    annotator = Annotator(tmp_path, [camera("a")], NAMES, 0.25, hide=hide)
    annotator.take(seen)
    annotator.close()
    keys = [candidates.collect()[0].image_key, *evidence.collect()[0].evidence]
    pictures = [decode_image(store.get(key))[HEAD] for key in keys]
    with VideoReader(str(tmp_path / "a.mp4"), "a.mp4") as reader:
        drawn = next(picture.bgr() for _, picture in reader.pictures())
    pictures.append(drawn[170:230, 190:300])  # 1.6 times as large
    assert [roughness(one) < 20 for one in pictures] == [hidden] * 3
