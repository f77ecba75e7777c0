"""``streetloop status`` and ``doctor``."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.host.home import lock_home

LIVE = {
    "ok": True,
    "cameras": 3,
    "live": 2,
    "model": "m-0123",
    "problems": ["a40: lost"],
    "report": False,
    "sinks": [],
}


class Api(BaseHTTPRequestHandler):
    """Answers as the API of a running system does."""

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == "Bearer right"
        self.send_response(200 if known and self.path == "/status" else 401)
        self.end_headers()
        self.wfile.write(json.dumps(LIVE).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def ask(*words: str, **environment: str) -> Any:
    return CliRunner().invoke(app, words, env=environment, catch_exceptions=True)


def test_the_status_of_a_running_system_comes_from_its_api(port: int, tmp_path: Path) -> None:
    known = {"STREETLOOP_APP_PORT": str(port), "STREETLOOP_API_TOKEN": "right"}
    with lock_home(tmp_path / "home"):
        assert json.loads(ask("status", "--json", **known).stdout) == LIVE
        assert ask("status", **known).stdout == "2 of 3 cameras live, model m-0123\na40: lost\n"
        wrong = ask("status", **{**known, "STREETLOOP_API_TOKEN": "wrong"})
        assert "STREETLOOP_API_TOKEN: the system of this home asks for another token" in str(wrong.exception)


def test_the_status_of_a_home_in_which_nothing_runs_comes_from_the_home(port: int) -> None:
    done = ask("status", "--json", STREETLOOP_APP_PORT=str(port), STREETLOOP_API_TOKEN="right")
    assert json.loads(done.stdout)["live"] == 0


def test_the_doctor_fails_and_names_the_cure(tmp_path: Path) -> None:
    done = ask("doctor", "--json", STREETLOOP_LEDGER_URL="postgresql://ada:hunter2@127.0.0.1:1/ledger")
    assert done.exit_code == 1
    failing = [check for check in json.loads(done.stdout) if not check["ok"]]
    assert [check["check"] for check in failing] == ["ledger"]
    assert set(failing[0]) == {"node", "check", "ok", "text", "cure"}
    assert "FAILS" in ask("doctor", STREETLOOP_LEDGER_URL="postgresql://127.0.0.1:1/ledger").stdout
