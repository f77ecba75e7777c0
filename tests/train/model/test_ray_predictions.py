"""Ray Data finds what a plain loop finds."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from streetloop.boxes import Box
from streetloop.errors import DatasetError, DetectorError, ModelUnsupported
from streetloop.storage.store import FolderStore, put_image
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.data.dataset import Example
from train.model.model_file import ModelFile, open_model
from train.model.predictions import predict_examples

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("shared_ray"), pytest.mark.timeout(300)]

BOXES = ((60, 60, 40, 40, 0, 0.9), (20, 30, 10, 10, 1, 0.4))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """Its answers depend on the image: mixed up, they would be wrong ones."""
    path = write_tiny_model(tmp_path / "tiny.onnx", detector_output(*BOXES), slope=0.05)
    return open_model(str(path), tmp_path)


@pytest.fixture
def examples(store: FolderStore) -> list[Example]:
    """Images of all sizes with any number of boxes and origins of all kinds."""
    rng = np.random.default_rng(0)
    found = []
    for k in range(37):
        height, width = 60 + 7 * (k % 5), 90 + 11 * (k % 3)
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8) // (1 + k % 4)
        digest, key = put_image(store, cv2.imencode(".png", image)[1].tobytes(), "png")
        boxes = tuple(Box(0, (1.0, 1.0, 9.0, 9.0)) for _ in range(k % 3))
        origin = {"frame": k} if k % 2 else {"file": "x", "deep": {"er": [k]}}
        found.append(Example(digest, key, width, height, boxes, origin=origin))
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_the_answers_are_those_of_a_plain_loop(
    model: ModelFile, examples: list[Example], store: FolderStore, workers: int
) -> None:
    from train.model.ray_predictions import predict_on_ray

    told: list[int] = []
    plain = predict_examples(model, examples, store, {0: 1}, 96)
    found = predict_on_ray(model, examples, store, {0: 1}, 96, told.append, workers=workers)
    assert told == list(range(1, 38))
    assert len({one.xyxy.tobytes() for one in plain}) > 10, "or an order would not show"
    for ours, theirs in zip(found, plain, strict=True):
        assert set(theirs.class_id) == {1}
        assert np.array_equal(ours.xyxy, theirs.xyxy)
        assert np.array_equal(ours.confidence, theirs.confidence)
        assert np.array_equal(ours.class_id, theirs.class_id)


def test_an_image_that_cannot_be_read_is_named(
    model: ModelFile, examples: list[Example], store: FolderStore
) -> None:
    from train.model.ray_predictions import predict_on_ray

    store.put(examples[20].key, b"no image")
    with pytest.raises(DatasetError, match=f"image {examples[20].image[:12]} cannot be read"):
        predict_on_ray(model, examples, store, {0: 0}, 96)


def test_a_model_that_cannot_be_run_is_one_clear_error(
    tmp_path: Path, model: ModelFile, examples: list[Example], store: FolderStore
) -> None:
    from train.model.ray_predictions import predict_on_ray

    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"nothing")
    with pytest.raises(ModelUnsupported, match=str(damaged)):
        predict_on_ray(replace(model, onnx=damaged), examples, store, {0: 0}, 96)


def test_a_worker_that_is_killed_is_one_clear_error(
    model: ModelFile, examples: list[Example], store: FolderStore
) -> None:
    from train.model.ray_predictions import predict_on_ray

    def kill(_: int) -> None:
        for process in psutil.process_iter(["cmdline"]):
            if "ray::MapWorker" in " ".join(process.info["cmdline"] or ()):
                process.kill()

    with pytest.raises(DetectorError, match=f"{model.version}: judging on Ray failed"):
        predict_on_ray(model, examples * 20, store, {0: 0}, 96, kill)


def test_nothing_to_look_at_is_nothing_found(model: ModelFile, store: FolderStore) -> None:
    from train.model.ray_predictions import predict_on_ray

    assert predict_on_ray(model, [], store, {0: 0}, 96) == []
