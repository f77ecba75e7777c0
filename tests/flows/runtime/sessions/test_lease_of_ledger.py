"""Two homes that share a ledger: one application runs."""

from pathlib import Path

import pytest
from sqlalchemy import update

from streetloop.ledger import open_ledger
from streetloop.ledger.schema.tables import leases
from streetloop.ledger.service.lease import holder_of
from tests.support.programs.cli import Command, camera_file
from tests.support.rollout import wait_for

pytestmark = pytest.mark.ray

_STREET = {"id": "crossing", "uri": "sim://kingsport/crossing?size=320x192", "fps": 5}


def test_one_application_runs_on_a_ledger_and_ends_when_another_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    monkeypatch.setenv("STREETLOOP_LEDGER_URL", url)
    monkeypatch.setenv("STREETLOOP_LOG_FLUSH_S", "1")
    path, ledger = camera_file(tmp_path, _STREET), open_ledger(url)
    first = Command("run", path, "--json", home=tmp_path / "first")
    wait_for(lambda: holder_of(ledger) is not None, "the first run holds the lease", 60)

    second = Command("run", path, home=tmp_path / "second").finish()
    assert second.code == 2
    (sentence,) = second.stderr.strip().splitlines()
    assert f"is in use by process {first.process.pid} on" in sentence

    wait_for(lambda: list(tmp_path.glob("first/store/frames/**/*.parquet")), "the camera runs", 90)
    with ledger.transaction() as connection:  # as another machine would, after a long silence
        connection.execute(update(leases).values(token=99, host="elsewhere"))
    ended = first.finish()
    assert ended.code == 1
    lost = "another process runs the application of the ledger now: the run has ended"
    assert lost in ended.json["problems"]
    ledger.close()
