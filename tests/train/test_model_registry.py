import contextlib
import importlib
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from flows.cli.output import exit_code
from streetloop.errors import RegistryError, VersionUnknown
from streetloop.host.processes import in_background
from streetloop.settings import Settings
from tests.support.contracts.vendor_errors import errors_of
from tests.support.mlflow_tables import make_tables_once, tables_of_mlflow
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.first_champion import ensure_champion
from train.model.find_model import has_registry, open_registry
from train.model.model_file import open_model
from train.model_registry import CHALLENGER, CHAMPION, Registry, VersionRecord, vendor_errors


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def registry(home: Path) -> Registry:
    return Registry(f"sqlite:///{home / 'mlflow.db'}", home)


@pytest.fixture(scope="module")
def onnx_file(home: Path) -> Path:
    path = home / "tiny.onnx"
    return write_tiny_model(path, detector_output((5, 5, 4, 4, 0, 0.9)))


def _record(**values: object) -> VersionRecord:
    return VersionRecord("d" * 64, None, ("car", "bus"), "c0ffee", **values)  # type: ignore[arg-type]


def test_a_home_of_any_name_has_its_registry_and_its_files(onnx_file: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "ä p%41 100%25 what? a#b")
    assert not has_registry(settings)
    registry = open_registry(settings)
    registry.register(registry.start("first", {}), onnx_file, _record())
    assert has_registry(settings)
    assert registry.download("1", tmp_path / "cache").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {settings.home.name, "cache"}


def test_tests_get_the_tables_that_mlflow_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    utils = importlib.import_module("mlflow.store.db.utils")
    monkeypatch.setattr(utils, "_initialize_tables", tables_of_mlflow(utils))
    Registry(f"sqlite:///{tmp_path / 'own.db'}", tmp_path).versions()
    make_tables_once(utils)
    for name in ("first.db", "second.db"):
        Registry(f"sqlite:///{tmp_path / name}", tmp_path).versions()
    own, *others = (_schema(tmp_path / name) for name in ("own.db", "first.db", "second.db"))
    assert len(own) > 20
    assert others == [own, own]


def _schema(database: Path) -> list[tuple[str, ...]]:
    """Names and parts of all tables; migrations write the parts of a table in no fixed order."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        tables = [
            (name, *sorted(line.strip(" \t,") for line in (sql or "").splitlines())) for name, sql in found
        ]
        return [*tables, *connection.execute("SELECT version_num FROM alembic_version").fetchall()]


def test_a_version_carries_its_record_and_its_files(
    registry: Registry, onnx_file: Path, tmp_path: Path
) -> None:
    run = registry.start("first", {"epochs": 6})
    registry.log(run, 0, {"metrics/mAP50(B)": 0.4, "broken": float("nan")})
    weights = tmp_path / "any.pt"
    weights.write_bytes(b"weights")
    record = _record(
        recipe={"epochs": 6},
        scores={"map50/night": 0.5},
        verdict=("night: gains",),
        trigger={"kind": "drift", "camera": "a40"},
    )
    version = registry.register(run, onnx_file, record, [weights])
    registry.finish(run)
    assert registry.find(str(version.number)).record == record
    path = registry.download(str(version.number), tmp_path / "cache")
    assert open_model(str(path), tmp_path).names == open_model(str(onnx_file), tmp_path).names
    assert path.with_suffix(".pt").read_bytes() == b"weights"
    assert registry.download(str(version.number), tmp_path / "cache") == path


def test_thresholds_of_a_version_may_change_and_go_with_its_files(
    registry: Registry, onnx_file: Path, tmp_path: Path
) -> None:
    version = registry.register(registry.start("shown", {}), onnx_file, _record())
    name, cache = str(version.number), tmp_path / "cache"
    assert open_model(str(registry.download(name, cache)), tmp_path).thresholds == {}
    for thresholds in ({"car": 0.4, "bus": 0.1}, {"car": 0.3}, {}):
        registry.set_thresholds(version.number, thresholds)
        assert registry.find(name).record.thresholds == thresholds
        assert open_model(str(registry.download(name, cache)), tmp_path).thresholds == thresholds
    with pytest.raises(RegistryError, match="no class 'tram'"):
        registry.set_thresholds(version.number, {"tram": 0.4})


def test_two_may_fetch_the_same_version_at_once(
    registry: Registry, onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.register(registry.start("shared", {}), onnx_file, _record())
    begun, other_done = threading.Event(), threading.Event()
    copy = shutil.copy

    def slowly(source: Path, target: Path) -> None:
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            assert other_done.wait(30)
        copy(source, target)

    monkeypatch.setattr("train.model_registry.shutil.copy", slowly)
    late = in_background("late", lambda: registry.download(str(version.number), tmp_path))
    assert begun.wait(30)
    path = registry.download(str(version.number), tmp_path)
    other_done.set()
    assert late.result(30) == path
    assert [entry.name for entry in tmp_path.iterdir()] == [path.parent.name], "nothing is left"


def test_an_alias_stands_for_one_version(registry: Registry, onnx_file: Path) -> None:
    one, other = (registry.register(registry.start("x", {}), onnx_file, _record()) for _ in range(2))
    registry.set_alias(CHAMPION, one.number)
    registry.set_alias(CHAMPION, other.number)
    registry.set_alias(CHALLENGER, one.number)
    assert registry.find(CHAMPION).number == other.number
    assert registry.find(CHALLENGER).number == one.number
    registry.drop_alias(CHALLENGER)
    with pytest.raises(VersionUnknown, match="no version 'challenger'") as unknown:
        registry.find(CHALLENGER)
    assert exit_code(unknown.value) == 2, "whoever named it has to correct it"
    assert [v.number for v in registry.versions()][:2] == [other.number, one.number]


def test_a_version_appears_whole_or_not_at_all(registry: Registry, tmp_path: Path) -> None:
    before = len(registry.versions())
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"nothing")
    with pytest.raises(RegistryError, match="is not an ONNX model"):
        registry.register(registry.start("x", {}), damaged, _record())
    assert len(registry.versions()) == before


def test_a_run_makes_one_version_however_often_it_is_registered(registry: Registry, onnx_file: Path) -> None:
    run = registry.start("twice", {})
    first = registry.register(run, onnx_file, _record())
    assert registry.register(run, onnx_file, _record()) == first
    assert [v.run_id for v in registry.versions()].count(run) == 1


def test_papers_that_are_too_long_for_a_tag_do_not_spoil_the_others(
    registry: Registry, onnx_file: Path
) -> None:
    record = _record(trigger={"kind": "x" * 6000}, scores={"map50/all": 0.5})
    made = registry.register(registry.start("long", {}), onnx_file, record)
    found = registry.find(str(made.number)).record
    assert (found.trigger, found.scores, found.classes) == ({}, {"map50/all": 0.5}, record.classes)


@pytest.mark.parametrize(
    ("tag", "value"),
    [("scores", "not json"), ("classes", '"car"'), ("parent", '"first"'), ("scores", '{"map50": "high"}')],
)
def test_one_odd_tag_hides_only_its_version(
    registry: Registry, onnx_file: Path, caplog: pytest.LogCaptureFixture, tag: str, value: str
) -> None:
    good, odd = (registry.register(registry.start("x", {}), onnx_file, _record()) for _ in range(2))
    registry._client().set_model_version_tag("detector", str(odd.number), f"streetloop.{tag}", value)
    registry.set_alias(CHALLENGER, odd.number)
    numbers = [v.number for v in registry.versions()]
    assert good.number in numbers
    assert odd.number not in numbers
    assert f"version {odd.number} of detector is not shown: its tag streetloop.{tag}" in caplog.text
    for name in (CHALLENGER, str(odd.number)):
        with pytest.raises(
            RegistryError, match=f"version {odd.number} of detector: its tag streetloop.{tag}"
        ):
            registry.find(name)
    assert registry.find(str(good.number)) == good
    registry.drop_alias(CHALLENGER)


def test_a_champion_that_is_hidden_is_not_replaced(onnx_file: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, model=str(onnx_file))
    registry = open_registry(settings)
    made = registry.register(registry.start("x", {}), onnx_file, _record())
    registry.set_alias(CHAMPION, made.number)
    registry._client().set_model_version_tag("detector", str(made.number), "streetloop.parent", "odd")
    with pytest.raises(RegistryError, match=r"version 1 of detector: its tag streetloop\.parent"):
        ensure_champion(settings, lambda _: None)
    assert len(registry._all()) == 1


def test_a_version_of_other_software_is_listed_with_what_it_lacks(
    registry: Registry, onnx_file: Path, tmp_path: Path
) -> None:
    registry.register(registry.start("x", {}), onnx_file, _record())
    client = registry._client()
    made = client.create_model_version("detector", source=str(onnx_file), tags={"team": "roads"})
    run = registry.start("with a run", {})
    other = client.create_model_version("detector", source=f"runs:/{run}/x", run_id=run)
    listed = {v.number: v.lacks for v in registry.versions()}
    ours = ("class names", "the stamp of its detections")
    assert listed[int(made.version)] == ("a run with its files", *ours)
    assert listed[int(other.version)] == ours
    for one in (made, other):
        with pytest.raises(RegistryError, match=r"no files of streetloop.*models register"):
            registry.download(str(one.version), tmp_path)


def test_a_registry_that_is_away_is_one_clear_error(tmp_path: Path, onnx_file: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(RegistryError, match="did not answer"):
        Registry(f"sqlite:///{blocked}/mlflow.db", tmp_path).versions()


def test_an_unknown_version_is_named(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="'999'"):
        registry.find("999")


_WRAPPED = {"EmulatedDBAPIException"}
"""Of a database driver; SQLAlchemy wraps it in its own `DBAPIError`."""


@pytest.mark.parametrize("name", ["mlflow.exceptions", "requests.exceptions", "sqlalchemy.exc"])
def test_no_error_of_mlflow_and_what_it_uses_is_left_untranslated(name: str) -> None:
    raised = errors_of(importlib.import_module(name))
    assert len(raised) > 3
    assert {e.__name__ for e in raised if not issubclass(e, vendor_errors())} <= _WRAPPED


def test_a_registry_of_an_unknown_kind_is_named_with_its_variable(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tracking_uri="htp://user:hunter2@nowhere")
    with pytest.raises(RegistryError, match="STREETLOOP_TRACKING_URI, did not answer") as caught:
        open_registry(settings).versions()
    assert "htp://***@nowhere" in str(caught.value)
