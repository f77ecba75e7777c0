"""Home folders that older versions left, from `tests/fixtures`."""

import json
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import drift.monitor
from flows.cli.main import app
from flows.service.control_service import ControlService
from streetloop.cameras.camera_file import load_cameras
from streetloop.ledger import Ledger, open_ledger
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_PATHS = (("runs", "artifact_uri"), ("experiments", "artifact_location"))
"""Where MLflow's database stores absolute paths of artifacts: (table, column)."""

LEFT = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""When the home of 0.1.0 was left."""


def unpack(version: str, folder: Path) -> dict[str, Any]:
    """Unpack a home to ``folder/home``, and its camera file to ``folder/cameras.yaml``.

    MLflow stores absolute paths of artifacts, so a home that moves cannot give out its models: they
    are rewritten here, in MLflow's database.

    Returns:
        What the version wrote, as it read it itself.
    """
    with tarfile.open(_FIXTURES / f"home-{version}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    content: dict[str, Any] = json.loads((_FIXTURES / f"home-{version}.json").read_text())
    before, now = Path(content["home"]).as_uri(), (folder / "home").absolute().as_uri()
    with closing(sqlite3.connect(folder / "home" / "mlflow" / "mlflow.db")) as database:
        for table, column in _PATHS:
            sql = f"update {table} set {column} = replace({column}, ?, ?)"
            database.execute(sql, (before, now))
        database.commit()
    return content


def require(actual: Any, expected: Any) -> None:
    """Fail unless ``actual`` holds every value of ``expected``, whatever its keys are called.

    Lists at the top are compared item by item.
    """
    if isinstance(expected, list):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            require(one, other)
        return
    lacking = _values(expected) - _values(actual)
    assert not lacking, f"{dict(lacking)} of {expected} are not in {actual}"


class Old:
    """The home that version 0.1.0 left, unpacked and opened.

    Attributes:
        wrote: What is in it.
    """

    def __init__(self, folder: Path) -> None:
        self.wrote = unpack("0.1.0", folder)
        self.settings = Settings(home=folder / "home", model="none.onnx")
        self.ledger: Ledger = open_ledger(self.settings.ledger)
        self.store = FolderStore(self.settings.store)
        self.service = ControlService(self.settings, load_cameras(folder / "cameras.yaml").cameras)

    def asked(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        environment = {"STREETLOOP_HOME": str(self.settings.home), "STREETLOOP_MODEL": "none.onnx"}
        result = CliRunner().invoke(app, [*arguments, "--json"], env=environment, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch recalls the last weeks: to it, the home was left just now."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Then":
            return cls.fromtimestamp(LEFT.timestamp(), tz)

    monkeypatch.setattr(drift.monitor, "datetime", Then)


def _values(plain: Any) -> Counter[str]:
    if isinstance(plain, dict):
        return _values(list(plain.values()))
    if isinstance(plain, Sequence) and not isinstance(plain, str):
        return sum((_values(one) for one in plain), Counter[str]())
    if plain is None or isinstance(plain, bool):
        return Counter()
    return Counter([f"{plain:.6g}" if isinstance(plain, int | float) else _text(str(plain))])


def _text(value: str) -> str:
    """A time reads the same however it is written."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    except ValueError:
        return value
