"""`streetloop dataset`: labeled data comes in, is compared, and goes out again byte for byte."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flows.cli.main import app
from streetloop.errors import ConfigError, DatasetError
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.samples.label_files import (
    CAR,
    CAR_ROW,
    rectangle,
    write_bdd100k_files,
    write_coco_files,
    write_image,
    write_kitti_files,
    write_label_studio_files,
    write_mot_files,
    write_yolo_files,
)
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.data.dataset import load_dataset
from train.data.formats import read_coco, read_yolo
from train.model.find_model import open_registry
from train.model_registry import VersionRecord


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dataset", *arguments])


def answered(*arguments: str) -> Any:
    result = asked(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def images() -> list[str]:
    return list(open_store(Settings()).keys("frames/"))


def street(folder: Path, rows: str = CAR_ROW, names: str = "[car]") -> str:
    return str(write_yolo_files(folder, rows, f"val: images\nnames: {names}\n"))


@pytest.fixture
def digest(tmp_path: Path) -> str:
    return str(answered("import", "--format", "yolo", street(tmp_path / "one"))["digest"])


def test_a_dataset_comes_in_and_is_listed_and_shown(digest: str) -> None:
    (listed,) = answered("list")
    assert listed == answered("show", digest[:8])
    assert listed["digest"] == digest
    assert (listed["images"], listed["classes"], listed["splits"]) == (1, {"car": 1}, {"val": 1})
    for command in (("list",), ("show", digest)):
        assert digest[:12] in asked(*command).stdout


def test_an_empty_store_says_what_fills_it() -> None:
    assert answered("list") == []
    assert "streetloop dataset import" in asked("list").stdout


@pytest.mark.parametrize("name", ["coco", "label-studio", "bdd100k", "kitti", "mot"])
def test_every_format_comes_in(tmp_path: Path, name: str) -> None:
    write = {
        "coco": write_coco_files,
        "label-studio": lambda folder: write_label_studio_files(folder, rectangle()),
        "bdd100k": write_bdd100k_files,
        "kitti": write_kitti_files,
        "mot": lambda folder: write_mot_files(folder, "1,1,21,11,80,40,1,1,1\n"),
    }[name]
    made = answered("import", "--format", name, str(write(tmp_path / "set")))
    examples = load_dataset(open_store(Settings()), made["digest"]).examples
    assert CAR in [box.xyxy for box in examples[0].boxes]
    assert made["stored"] == made["images"] == len(images())


def test_what_is_mended_is_said(tmp_path: Path) -> None:
    result = asked("import", "--format", "yolo", street(tmp_path / "set", CAR_ROW * 2), "--json")
    assert json.loads(result.stdout)["notes"][0].startswith("doubled boxes are one: 1")
    assert "doubled boxes are one: 1" in result.stderr


def test_images_that_two_datasets_share_are_stored_once(tmp_path: Path, digest: str) -> None:
    other = answered("import", "--format", "yolo", street(tmp_path / "two", "0 0.5 0.5 0.1 0.1\n"))
    assert other["digest"] != digest
    assert (other["stored"], len(images()), len(answered("list"))) == (0, 1, 2)


def test_what_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    path = street(tmp_path / "set")
    for arguments in (("voc", path), ("yolo", path, "--split", "val"), ("coco", path, "--split", "half")):
        assert isinstance(asked("import", "--format", *arguments).exception, ConfigError)
    assert isinstance(asked("import", "--format", "coco", "gone.json").exception, DatasetError)
    assert answered("list") == []


def test_two_datasets_are_compared(tmp_path: Path, digest: str) -> None:
    changed = write_yolo_files(tmp_path / "two", "1 0.3 0.3 0.4 0.4\n", "train: images\nnames: [car, bus]\n")
    write_image(changed / "images/b.png", 1)
    other = answered("import", "--format", "yolo", str(changed))["digest"]
    found = answered("diff", digest, other)
    assert [len(found[name]) for name in ("added", "removed", "relabeled", "moved")] == [1, 0, 1, 1]
    assert found["classes"] == {"car": [1, 0], "bus": [0, 1]}
    assert found["splits"] == {"train": [0, 2], "val": [1, 0]}
    assert "relabeled: 1 images" in asked("diff", digest, other).stdout
    same = answered("diff", digest, digest)
    assert (same["relabeled"], same["classes"]) == ([], {})


def test_a_dataset_goes_out_for_other_tools(tmp_path: Path, digest: str) -> None:
    assert answered("export", digest, str(tmp_path / "yolo"), "--yolo")["digest"] == digest
    assert answered("export", digest, str(tmp_path / "coco"), "--coco")["digest"] == digest
    for found in (read_yolo(tmp_path / "yolo"), read_coco(tmp_path / "coco/annotations/instances_val.json")):
        assert found.notes == ()
        (box,) = found.dataset.examples[0].boxes
        assert box.xyxy == pytest.approx(CAR)
    assert isinstance(asked("export", digest, str(tmp_path / "x")).exception, ConfigError)


def test_a_dataset_is_given_back_byte_for_byte(tmp_path: Path, digest: str) -> None:
    out = tmp_path / "out"
    assert answered("checkout", digest, str(out))["digest"] == digest
    (key,) = images()
    assert (out / key).read_bytes() == (tmp_path / "one/images/a.png").read_bytes()
    shutil.rmtree(Settings().home)
    assert answered("import", "--format", "checkout", str(out))["digest"] == digest
    answered("checkout", digest, str(out))
    (out / key).write_bytes(b"changed")
    assert "was changed" in str(asked("import", "--format", "checkout", str(out)).exception)


def test_a_folder_with_another_dataset_is_kept(tmp_path: Path, digest: str) -> None:
    other = answered("import", "--format", "yolo", street(tmp_path / "two", ""))["digest"]
    answered("checkout", digest, str(tmp_path / "out"))
    assert "another dataset" in str(asked("checkout", other, str(tmp_path / "out")).exception)


def test_pruning_leaves_what_others_need(tmp_path: Path, digest: str) -> None:
    two = write_yolo_files(tmp_path / "two", "")
    write_image(two / "images/b.png", 1)
    other = answered("import", "--format", "yolo", str(two))["digest"]
    looked = answered("prune", other, "--dry-run")
    assert looked == {"digest": [other], "images": 1, "removed": False}
    assert (len(images()), len(answered("list"))) == (2, 2)
    assert answered("prune", other)["removed"]
    assert [one["digest"] for one in answered("list")] == [digest]
    assert len(images()) == 1


def test_a_dataset_that_a_version_learned_from_stays(tmp_path: Path, digest: str) -> None:
    registry = open_registry(Settings())
    model = write_tiny_model(tmp_path / "tiny.onnx", detector_output())
    made = registry.register(registry.start("x", {}), model, VersionRecord(digest, None, ("car",), ""))
    refused = asked("prune", digest)
    assert isinstance(refused.exception, DatasetError)
    registry._client().set_model_version_tag("detector", str(made.number), "streetloop.scores", "odd")
    assert isinstance(asked("prune", digest).exception, DatasetError), "also one that is not shown"
    open_ledger(Settings().ledger).close()
    assert len(answered("list")) == 1
