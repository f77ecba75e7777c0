"""What each implementation of a slot promises."""

import pickle
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from serve.detector.slots import FileSlot, Slot, StoreSlot
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.model_file import ModelFile, open_model
from train.model.operating_points import write_thresholds

Open = Callable[[str], Slot]


@pytest.fixture(params=["file", "store"])
def open_slot(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    def make(application: str) -> Slot:
        if request.param == "file":
            return FileSlot(tmp_path / "home", application)
        return StoreSlot(FolderStore(tmp_path / "store"), application, tmp_path / "cache")

    return make


def _model(path: Path, confidence: float = 0.9) -> ModelFile:
    box = (80.0, 48.0, 30.0, 20.0, 0, confidence)
    return open_model(str(write_tiny_model(path, detector_output(box))), path.parent / "exports")


def test_what_is_written_is_what_another_process_reads(open_slot: Open, tmp_path: Path) -> None:
    model, slot = _model(tmp_path / "new.onnx"), open_slot("champion")
    slot.write(model)
    elsewhere: Slot = pickle.loads(pickle.dumps(slot))
    assert open_model(elsewhere.read(), tmp_path / "exports").version == model.version


def test_the_newest_model_is_read(open_slot: Open, tmp_path: Path) -> None:
    old, new = _model(tmp_path / "old.onnx"), _model(tmp_path / "new.onnx", 0.8)
    slot = open_slot("champion")
    slot.write(old)
    before = slot.model()
    slot.write(new)
    assert open_model(slot.read(), tmp_path).version == new.version
    slot.restore(before)
    assert open_model(slot.read(), tmp_path).version == old.version


def test_applications_have_slots_of_their_own(open_slot: Open, tmp_path: Path) -> None:
    old, new = _model(tmp_path / "old.onnx"), _model(tmp_path / "new.onnx", 0.8)
    open_slot("champion").write(old)
    open_slot("challenger").write(new)
    assert open_model(open_slot("champion").read(), tmp_path).version == old.version


def test_an_empty_slot_is_an_error(open_slot: Open) -> None:
    with pytest.raises(StoreError):
        open_slot("champion").read()


def test_a_node_of_an_image_has_the_model_that_was_deployed(tmp_path: Path) -> None:
    model = _model(tmp_path / "new.onnx")
    slot = FileSlot(tmp_path / "home of another node", "champion", model)
    assert open_model(slot.read(), tmp_path).version == model.version


def test_a_model_travels_once_and_is_kept_on_the_node(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    slot = StoreSlot(store, "champion", tmp_path / "cache")
    slot.write(_model(tmp_path / "new.onnx"))
    slot.read()
    (key,) = store.keys("models/")
    store.delete(key)
    assert Path(slot.read()).is_file()


def test_a_model_with_weights_beside_it_travels_whole(tmp_path: Path) -> None:
    plain = onnx.load(_model(tmp_path / "plain.onnx").onnx)
    split = tmp_path / "split.onnx"
    onnx.save(plain, split, save_as_external_data=True, location="weights.bin", size_threshold=256)
    model = open_model(str(split), tmp_path)
    slot = StoreSlot(FolderStore(tmp_path / "store"), "champion", tmp_path / "cache")
    slot.write(model)
    split.unlink()
    assert open_model(slot.read(), tmp_path).version == model.version


def test_thresholds_travel_with_their_model(tmp_path: Path) -> None:
    path = _model(tmp_path / "new.onnx").onnx
    write_thresholds(path, {"car": 0.4})
    model = open_model(str(path), tmp_path)
    slot = StoreSlot(FolderStore(tmp_path / "store"), "champion", tmp_path / "cache")
    slot.write(model)
    assert open_model(slot.read(), tmp_path).version == model.version


def test_content_that_is_not_what_was_stored_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    slot = StoreSlot(store, "champion", tmp_path / "cache")
    slot.write(_model(tmp_path / "new.onnx"))
    (key,) = store.keys("models/")
    other = _model(tmp_path / "other.onnx", 0.8)
    store.put(key, other.onnx.read_bytes())
    with pytest.raises(StoreError, match="another content"):
        slot.read()
