"""A bundle for a bug report has what is needed, and no secret."""

import json
import stat
import zipfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.runtime.doctor.support_bundle import SupportBundle, write_support_bundle
from streetloop.errors import ConfigError, LedgerError
from tests.support.control_service import PASSWORD, Content

TOKEN = "n0b0dy-kn0ws"
ENVIRON = {"STREETLOOP_API_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "HOME": "/home/ann"}


@pytest.fixture
def system(tmp_path: Path) -> Content:
    content = Content(
        tmp_path / "home",
        api_token=SecretStr(TOKEN),
        ledger_url=None,
        tracking_uri=SecretStr("http://ann:p%40ss-w0rd@mlflow:5000"),
        timezone="Europe/Berlin",
    )
    content.add_events()
    content.add_learning()
    (content.settings.home / "ray.log").write_text(
        f"Bearer {TOKEN}\nrtsp://admin:{PASSWORD}@10.0.0.7/a40 is away\np@ss-w0rd refused\n"
    )
    return content


def written(content: Content, path: Path) -> tuple[SupportBundle, dict[str, str]]:
    done = write_support_bundle(content.settings, content.service, path, ENVIRON)
    with zipfile.ZipFile(path) as archive:
        return done, {name: archive.read(name).decode() for name in archive.namelist()}


def test_it_has_what_a_bug_report_needs(system: Content, tmp_path: Path) -> None:
    done, texts = written(system, tmp_path / "bundle.zip")
    assert not done.missing
    assert done.files == tuple(sorted(texts))
    about = json.loads(texts["about.json"])
    assert {"ray", "torch", "numpy"} <= about["packages"].keys()
    assert json.loads(texts["settings.json"])["timezone"] == "Europe/Berlin"
    assert [one["id"] for one in json.loads(texts["cameras.json"])] == ["a40", "crossing"]
    assert len(json.loads(texts["events.json"])) == 3
    assert [run["step"] for run in json.loads(texts["learning.json"])] == ["parked", "refused"]
    assert json.loads(texts["health.json"])["ok"] is False
    assert all(check["check"] for check in json.loads(texts["checks.json"]))
    assert "10.0.0.7/a40 is away" in texts["logs/ray.log"]
    assert set(texts) - {"README.txt", "logs/ray.log"} <= {
        line.split()[0] for line in texts["README.txt"].splitlines() if line.strip()
    }


def test_no_secret_is_in_it(system: Content, tmp_path: Path) -> None:
    _, texts = written(system, tmp_path / "bundle.zip")
    whole = "\n".join(texts.values())
    for secret in (TOKEN, PASSWORD, "p@ss-w0rd", "p%40ss-w0rd", "wJalrXUtnFEMI"):
        assert secret not in whole
    assert json.loads(texts["settings.json"])["api_token"] == "***"


def test_it_is_for_its_owner_alone_and_replaces_nothing(system: Content, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    written(system, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match=r"bundle\.zip is there already"):
        written(system, path)
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        written(system, tmp_path / "none" / "bundle.zip")


def test_what_is_broken_is_named_and_the_rest_is_there(
    system: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LedgerError(f"the ledger at postgresql://ann:{PASSWORD}@db/x does not answer")

    monkeypatch.setattr(type(system.service), "learning", broken)
    done, texts = written(system, tmp_path / "bundle.zip")
    (sentence,) = done.missing
    assert sentence.startswith("learning.json: the ledger at postgresql://***@db/x")
    assert sentence in texts["README.txt"]
    assert "learning.json" not in texts
    assert "events.json" in texts
    assert PASSWORD not in "".join(texts.values())


def test_of_a_long_log_the_end_is_there(
    system: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.runtime.doctor.support_bundle._TAIL_BYTES", 10)
    (system.settings.home / "long.log").write_text("begin" + "x" * 100 + "the end")
    _, texts = written(system, tmp_path / "bundle.zip")
    assert texts["logs/long.log"] == "xxxthe end"
