import io
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from streetloop.errors import ModelNotFound, ModelUnsupported
from train import ultralytics_adapter

# They start processes that import Ultralytics.
pytestmark = pytest.mark.model


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")


@pytest.mark.usefixtures("no_network")
@pytest.mark.timeout(300)
def test_a_published_name_without_a_network_is_not_found_and_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="give --model the path") as caught:
        ultralytics_adapter.download("yolo26n.pt", tmp_path / "downloads")
    assert "yolo26n.pt" in str(caught.value)
    assert not (tmp_path / "downloads" / "yolo26n.pt").exists()


def test_what_was_downloaded_before_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(b"here already")
    assert ultralytics_adapter.download("mine.pt", tmp_path) == tmp_path / "mine.pt"
    assert (tmp_path / "mine.pt").read_bytes() == b"here already"


def test_an_export_that_fails_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    import torch  # takes seconds, and only this test needs it

    path = tmp_path / "fake.pt"
    torch.save({"epoch": 3, "weights": torch.zeros(4)}, path)
    with pytest.raises(ModelUnsupported) as caught:
        ultralytics_adapter.export_onnx(path, tmp_path / "out" / "model.onnx")
    assert str(path) in str(caught.value)
    assert not list(tmp_path.rglob("*.onnx*"))


@pytest.mark.usefixtures("no_network")
def test_what_is_no_picture_stays_no_picture_beside_it() -> None:
    ultralytics_adapter.prepare()
    with pytest.raises(UnidentifiedImageError):
        PillowImage.open(io.BytesIO(b"no picture"))


def test_what_is_no_checkpoint_is_not_published(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"PK")
    with pytest.raises(ModelUnsupported, match=str(broken)):
        ultralytics_adapter.publish_checkpoint(broken, tmp_path / "out.pt", "test")
    assert not (tmp_path / "out.pt").exists()
