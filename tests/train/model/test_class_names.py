"""What the registry knows of the classes of models, with a real registry on this machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState, add_reviews, list_reviews
from streetloop.settings import Settings
from tests.support.samples.frames import review
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from train.model.class_names import class_names, older_frames
from train.model.find_model import find_model, open_registry
from train.model.model_file import ModelFile, open_model, version_of
from train.model_registry import VersionRecord

OTHERS = ("person", "bicycle")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A registry of two versions, of which the second knows other classes."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    registry = open_registry(settings)
    for number, names in enumerate((NAMES, OTHERS), start=1):
        model = tiny(settings.home / f"{number}.onnx", names, slope=number / 100)
        record = VersionRecord("", None, model.names, "c0ffee", model_version=model.version)
        checkpoint = settings.home / "best.pt"
        checkpoint.write_bytes(b"weights %d" % number)
        registry.register(registry.start(f"{number}", {}), model.onnx, record, [checkpoint])
    return settings


def tiny(path: Path, names: tuple[str, ...], slope: float) -> ModelFile:
    """A model of some classes."""
    answer = detector_output((32, 32, 9, 9, 0, 0.9))
    metadata = {"names": repr(dict(enumerate(names)))}
    return open_model(str(write_tiny_model(path, answer, slope=slope, metadata=metadata)), path)


def test_all_stamps_of_a_version_are_known(settings: Settings) -> None:
    for number, names in ((1, NAMES), (2, OTHERS)):
        given = open_model(str(settings.home / f"{number}.onnx"), settings.models).version
        handed_out = find_model(str(number), settings)
        assert handed_out.checkpoint is not None  # what a detector opens, where there is one
        served = version_of(handed_out.checkpoint)
        assert len({given, handed_out.version, served}) == 3
        for version in (given, handed_out.version, served):
            assert class_names(settings, {version})[version] == names


def test_a_file_that_only_bears_a_versions_name_is_not_known(settings: Settings) -> None:
    assert "detector-1-0123456789ab" not in class_names(settings, {"detector-1-0123456789ab"})
    assert "detector-9-0123456789ab" not in class_names(settings, {"detector-9-0123456789ab"})


def test_without_a_registry_none_is_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    assert class_names(settings, {"m-1"}) == {}
    assert not settings.home.exists()


def test_frames_of_earlier_and_later_champions_get_their_class_names(
    settings: Settings, tmp_path: Path
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    opened = open_model(str(settings.home / "1.onnx"), settings.models)
    versions = [opened.version, *(find_model(number, settings).version for number in ("1", "2")), "nobody's"]
    found = [replace(review(k), model_version=v, classes=()) for k, v in enumerate(versions)]
    add_reviews(ledger, found)
    older = older_frames(settings, ledger, [opened], None)
    older.settle()
    named = {one.model_version: one.classes for one in list_reviews(ledger, [ReviewState.CANDIDATE])}
    assert [named[version] for version in versions] == [NAMES, NAMES, OTHERS, ()]
    assert "frames found by nobody's are refused" in str(older.refusal([ReviewState.CANDIDATE]))
    ledger.close()
