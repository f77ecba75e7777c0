import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.external_data_helper import set_external_data

from streetloop.errors import DetectorError, ModelNotFound, ModelUnsupported
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from train.model.backends.backend import random_batch
from train.model.contract import ModelContract, ModelInput, OutputLayout
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))


@pytest.fixture
def tiny(tmp_path: Path) -> ModelFile:
    return open_model(str(write_tiny_model(tmp_path / "tiny.onnx", ONE_CAR)), tmp_path)


def test_a_model_knows_its_classes_and_is_named_by_its_content(tiny: ModelFile, tmp_path: Path) -> None:
    assert tiny.names == NAMES
    assert tiny.contract == ModelContract(NAMES, ModelInput(stride=32), OutputLayout.ANCHORS)
    assert tiny.checkpoint is None
    other = write_tiny_model(tmp_path / "other" / "tiny.onnx", ONE_CAR * 2)
    assert tiny.version.startswith("tiny-")
    assert open_model(str(other), tmp_path).version != tiny.version
    assert open_model(other.as_uri(), tmp_path) == open_model(str(other), tmp_path)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("nowhere.onnx", ModelNotFound, "no such model file"),
        ("folder.onnx", ModelUnsupported, "is a folder"),
        ("weights.tflite", ModelUnsupported, "neither an .onnx nor a .pt"),
        ("garbage.onnx", ModelUnsupported, "not an ONNX model"),
        ("empty.onnx", ModelUnsupported, "is empty"),
        ("cut.onnx", ModelUnsupported, "cut short"),
        ("pointer.onnx", ModelUnsupported, "is a pointer of Git LFS, not the model; fetch it by"),
        ("pointer.pt", ModelUnsupported, "is a pointer of Git LFS, not the model; fetch it by"),
        ("page.onnx", ModelUnsupported, "is a web page"),
        ("page.pt", ModelUnsupported, "is a web page"),
        ("text.pt", ModelUnsupported, "not an Ultralytics checkpoint; PyTorch has not written it"),
        ("segment.onnx", ModelUnsupported, "'segment'"),
        ("nameless.onnx", ModelUnsupported, "does not name its classes"),
        ("a\nb.onnx", ModelNotFound, r"'.*a\\nb\.onnx' has a line break"),
        ("s3://bucket/model.onnx", ModelNotFound, "unknown scheme 's3'"),
    ],
)
def test_what_is_no_detector_is_refused_with_the_reason(
    name: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "weights.tflite").write_bytes(b"x")
    (tmp_path / "garbage.onnx").write_bytes(b"\xff" * 1000)
    (tmp_path / "empty.onnx").touch()
    for suffix in ("onnx", "pt"):
        (tmp_path / f"pointer.{suffix}").write_text("version https://git-lfs.github.com/spec/v1\nsize 9\n")
        (tmp_path / f"page.{suffix}").write_text("\n<!DOCTYPE html><title>Not found</title>")
    (tmp_path / "text.pt").write_text("weights")
    whole = write_tiny_model(tmp_path / "whole.onnx", ONE_CAR).read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    write_tiny_model(tmp_path / "segment.onnx", ONE_CAR, metadata={"task": "segment"})
    write_tiny_model(tmp_path / "nameless.onnx", ONE_CAR, metadata={"names": None})
    given = name if "://" in name else str(tmp_path / name)
    with pytest.raises(error, match=words):
        open_model(given, tmp_path)


def test_a_predictor_answers_in_pixels_of_the_picture(tiny: ModelFile) -> None:
    predictor = Predictor(tiny, image_size=64)
    found = predictor.predict(np.zeros((128, 128, 3), np.uint8), 0.5)
    assert found.xyxy.tolist() == [[44, 54, 84, 74]]
    assert found.class_id.tolist() == [0]
    assert found.confidence.tolist() == pytest.approx([0.9])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_not_numbers_are_an_error(bad: float, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "bad.onnx", np.full_like(ONE_CAR, bad))
    predictor = Predictor(open_model(str(path), tmp_path))
    with pytest.raises(DetectorError, match="not numbers"):
        predictor.detect(random_batch((1, 64, 64)), 0.5)


def test_an_onnx_file_may_be_named_in_capitals(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "UPPER.ONNX", ONE_CAR)
    assert open_model(str(path), tmp_path).version.startswith("UPPER-")


def test_an_end_at_any_byte_is_one_sentence(tmp_path: Path) -> None:
    whole = write_tiny_model(tmp_path / "whole.onnx", ONE_CAR).read_bytes()
    cut = tmp_path / "cut.onnx"
    for end in range(0, len(whole), 37):
        cut.write_bytes(whole[:end])
        with pytest.raises(ModelUnsupported) as refused:
            open_model(str(cut), tmp_path)
        assert "\n" not in str(refused.value)


def _with_weights_beside(path: Path, score: float) -> Path:
    """A model whose answer is in ``weights.bin`` beside it."""
    plain = write_tiny_model(path, detector_output((32, 32, 20, 10, 0, score)))
    model = onnx.load(plain)
    (answer,) = (tensor for tensor in model.graph.initializer if tensor.name == "answer")
    set_external_data(answer, location="weights.bin")
    onnx.save(model, path)
    return path


def test_weights_beside_the_file_that_are_cut_short_are_told(tmp_path: Path) -> None:
    path = _with_weights_beside(tmp_path / "m.onnx", 0.9)
    weights = path.with_name("weights.bin")
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelUnsupported, match=r"m\.onnx: its weights in weights\.bin are cut short$"):
        open_model(str(path), tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("offset", "abc"), ("length", "1.5"), ("offset", "-8"), ("location", "")]
)
def test_a_file_that_does_not_say_where_its_weights_are_is_told(tmp_path: Path, key: str, value: str) -> None:
    path = _with_weights_beside(tmp_path / "m.onnx", 0.9)
    model = onnx.load(path, load_external_data=False)
    (answer,) = (tensor for tensor in model.graph.initializer if tensor.name == "answer")
    kept = [entry for entry in answer.external_data if entry.key != key]
    del answer.external_data[:]
    answer.external_data.extend([*kept, onnx.StringStringEntryProto(key=key, value=value)])
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match=r"m\.onnx: does not say where its weights are beside it$"):
        open_model(str(path), tmp_path)


def test_the_version_covers_weights_beside_the_file(tmp_path: Path) -> None:
    first = _with_weights_beside(tmp_path / "a" / "m.onnx", 0.9)
    second = _with_weights_beside(tmp_path / "b" / "m.onnx", 0.8)
    assert first.read_bytes() == second.read_bytes()
    assert open_model(str(first), tmp_path).version != open_model(str(second), tmp_path).version
    again = shutil.copytree(first.parent, tmp_path / "c") / "m.onnx"
    assert open_model(str(again), tmp_path).version == open_model(str(first), tmp_path).version
    found = Predictor(open_model(str(second), tmp_path), image_size=64)
    assert found.predict(np.zeros((64, 64, 3), np.uint8), 0.5).confidence == pytest.approx([0.8])


def test_weights_that_are_not_beside_the_file_are_named(tmp_path: Path) -> None:
    model = _with_weights_beside(tmp_path / "m.onnx", 0.9)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelUnsupported, match=r"weights\.bin, which is not beside it"):
        open_model(str(model), tmp_path)


@pytest.mark.model
def test_a_checkpoint_is_exported_once_and_keeps_its_names(weights: Path, model_cache: Path) -> None:
    first = open_model(str(weights), model_cache)
    written = first.onnx.stat().st_mtime_ns
    again = open_model(str(weights), model_cache)
    assert again == first
    assert again.onnx.stat().st_mtime_ns == written
    assert first.checkpoint == weights
    assert len(first.names) == 80
    assert first.names[2] == "car"


@pytest.mark.model
@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04K\x01."])
def test_a_pt_file_that_is_no_checkpoint(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "fake.pt"
    path.write_bytes(content)
    with pytest.raises(ModelUnsupported, match=r"fake\.pt"):
        open_model(str(path), tmp_path)


@pytest.mark.model
def test_a_checkpoint_of_newer_code_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from ultralytics.nn.modules import block

    newer = type("C9k9", (), {"__module__": block.__name__})
    monkeypatch.setattr(block, "C9k9", newer, raising=False)
    path = tmp_path / "newer.pt"
    torch.save({"model": newer()}, path)
    with pytest.raises(ModelUnsupported, match=r"newer\.pt: was saved by .*C9k9.*export it") as refused:
        open_model(str(path), tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.model
def test_a_name_that_nobody_publishes(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"my-own\.pt"):
        open_model("my-own.pt", tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "the model has no name"), (" ", "the model has no name"), ("file:///m/a#b.onnx", "write # as %23")],
)
def test_a_name_that_names_no_file_says_why(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=words):
        open_model(name, tmp_path)


def test_a_model_in_the_users_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_model(tmp_path / "a#b.onnx", detector_output((32, 32, 20, 10, 0, 0.9)))
    monkeypatch.setenv("HOME", str(tmp_path))
    opened = open_model("~/a#b.onnx", tmp_path)
    assert opened.version == open_model((tmp_path / "a#b.onnx").as_uri(), tmp_path).version
