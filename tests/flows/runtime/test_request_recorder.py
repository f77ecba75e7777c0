"""How requests were answered reaches the ledger, and waits for one that is away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from flows.runtime import request_recorder
from flows.runtime.request_recorder import RequestRecorder
from serve.web.traced_requests import TracedRequests
from streetloop.clock import SystemClock
from streetloop.errors import LedgerError
from streetloop.ledger import open_ledger
from streetloop.ledger.service.request_counts import RequestCount, sum_requests

DAY = timedelta(days=1)


def read(url: str) -> RequestCount:
    ledger, now = open_ledger(url), datetime.now(UTC)
    found = sum_requests(ledger, "/predict", now - DAY, now)
    ledger.close()
    return found


def test_requests_of_the_api_are_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    recorder, app = RequestRecorder(url, SystemClock()), FastAPI()
    app.add_middleware(TracedRequests, answered=recorder.answered)

    @app.post("/predict")
    def predict(fail: bool = False) -> None:
        if fail:
            raise RuntimeError("broken")

    client = TestClient(app, raise_server_exceptions=False)
    for _ in range(3):
        client.post("/predict")
    client.post("/predict?fail=1")
    client.post("/predict?fail=what")
    client.get("/nothing")
    recorder.write()
    recorder.write()
    assert read(url) == (5, 1), "what the client did wrong is no failure"


def test_what_the_ledger_does_not_take_waits_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    url = f"sqlite:///{tmp_path}/file/ledger.db"
    recorder = RequestRecorder(url, SystemClock())
    recorder.answered("/predict", 503)
    with pytest.raises(LedgerError):
        recorder.write()
    (tmp_path / "file").unlink()
    recorder.answered("/predict", 200)
    recorder.write()
    assert read(url) == (2, 1)
    monkeypatch.setattr(request_recorder, "_MAX_MINUTES", 0)
    recorder.answered("/predict", 200)
    recorder.write()
    assert read(url) == (2, 1), "what waited too long is gone"
