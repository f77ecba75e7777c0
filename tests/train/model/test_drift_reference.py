from pathlib import Path

import numpy as np
import pytest

from drift.measurement.features import NAMES, OF_IMAGES
from streetloop.errors import ModelUnsupported
from streetloop.types import Detections
from tests.support.stream_flow.build import found
from train.model.contract import ModelContract
from train.model.drift_reference import training_past, write_training_past
from train.model.model_file import ModelFile


def _model(checkpoint: Path | None) -> ModelFile:
    return ModelFile("m-1", Path("m.onnx"), checkpoint, ModelContract(("car",)))


def _pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (90, 160, 3)).astype(np.uint8) for _ in range(count)]


def _beside(tmp_path: Path, content: bytes | None = None) -> Path:
    path = tmp_path / "best.reference.npz"
    if content is not None:
        path.write_bytes(content)
    return path


def test_what_is_written_beside_a_checkpoint_is_what_it_was_trained_on(tmp_path: Path) -> None:
    checkpoint = tmp_path / "best.v2.pt"
    write_training_past(_pictures(5), checkpoint)
    past = training_past(_model(checkpoint))
    assert past is not None
    assert len(past) == 5
    assert (np.diff(past.times) > 0).all()
    assert past.values[:, NAMES.index("brightness")] == pytest.approx(0.5, abs=0.05)
    for k, name in enumerate(NAMES):
        assert np.isfinite(past.values[:, k]).all() == (name in OF_IMAGES)
    assert past.mix.shape == (5, 0)


def test_what_the_model_says_of_some_pictures_is_kept_with_them(tmp_path: Path) -> None:
    checkpoint = tmp_path / "best.pt"
    two = found((0, 0, 16, 9), (0, 0, 16, 9), confidence=(0.5, 0.7))
    file = write_training_past(_pictures(3), checkpoint, [None, two, Detections.empty()])
    assert file == tmp_path / "best.reference.npz"
    past = training_past(_model(checkpoint))
    assert past is not None
    confidence, count, side, speed = (
        past.values[:, NAMES.index(name)] for name in ("confidence", "detections", "box_area", "speed")
    )
    assert count == pytest.approx([np.nan, 2, 0], nan_ok=True)
    assert confidence == pytest.approx([np.nan, 0.6, np.nan], abs=1e-3, nan_ok=True)
    assert side == pytest.approx([np.nan, 0.1, np.nan], abs=1e-3, nan_ok=True)
    assert np.isnan(speed).all()
    with pytest.raises(ValueError, match="shorter"):
        write_training_past(_pictures(3), checkpoint, [None])


def test_of_a_model_without_a_checkpoint_or_a_file_nobody_knows(tmp_path: Path) -> None:
    assert training_past(_model(None)) is None
    assert training_past(_model(tmp_path / "best.pt")) is None


def test_the_model_that_comes_along_knows_its_pictures() -> None:
    checkpoint = Path("models/baseline/baseline.pt").absolute()
    past = training_past(_model(checkpoint))
    assert past is not None
    assert len(past) >= 60
    assert np.isfinite(past.values[:, NAMES.index("brightness")]).all()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a file of NumPy", b"\x80\x04."])
def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = _beside(tmp_path, content)
    with pytest.raises(ModelUnsupported, match=str(path)):
        training_past(_model(tmp_path / "best.pt"))


@pytest.mark.parametrize("kept", [0.01, 0.3, 0.6, 0.95])
def test_half_a_file_is_refused(tmp_path: Path, kept: float) -> None:
    checkpoint = tmp_path / "best.pt"
    write_training_past(_pictures(50), checkpoint)
    whole = _beside(tmp_path).read_bytes()
    _beside(tmp_path, whole[: round(kept * len(whole))])
    with pytest.raises(ModelUnsupported):
        training_past(_model(checkpoint))


def test_a_file_with_a_bit_turned_over_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "best.pt"
    write_training_past(_pictures(50), checkpoint)
    content = bytearray(_beside(tmp_path).read_bytes())
    for position in range(100, 200):
        content[position] ^= 0xFF
    _beside(tmp_path, bytes(content))
    with pytest.raises(ModelUnsupported):
        training_past(_model(checkpoint))


@pytest.mark.parametrize(
    "values", [np.zeros((5, 3)), np.zeros(11), np.zeros((2, 11, 2)), np.array([["dark"] * 11])]
)
def test_a_reference_of_something_else_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    np.savez_compressed(_beside(tmp_path), values=values)
    with pytest.raises(ModelUnsupported):
        training_past(_model(tmp_path / "best.pt"))


def test_a_file_without_values_or_with_a_bare_array_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(_beside(tmp_path), other=np.zeros((5, 11)))
    with pytest.raises(ModelUnsupported):
        training_past(_model(tmp_path / "best.pt"))
    with _beside(tmp_path).open("wb") as file:
        np.save(file, np.zeros((5, 11)))
    with pytest.raises(ModelUnsupported):
        training_past(_model(tmp_path / "best.pt"))


def test_a_folder_in_its_place_is_nobody_knows(tmp_path: Path) -> None:
    _beside(tmp_path).mkdir()
    assert training_past(_model(tmp_path / "best.pt")) is None
