"""Installing, starting and stopping, with programs that only look like Label Studio."""

import json
import os
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labeling.local_server import process as local_process
from labeling.local_server.install import VERSION, install
from labeling.local_server.process import end, find_running
from labeling.local_server.server import LocalServer
from streetloop.errors import ConfigError, LabelerError
from tests.support.servers.labels.label_studio import Studio
from tests.support.servers.ports import free_port

# Answers /health, leaves its environment where a test finds it, and may be stubborn.
PROGRAM = """\
    #!{python}
    import http.server, json, os, pathlib, signal, sys, time
    home = pathlib.Path(os.environ["HOME"])
    with open(home / "starts", "a") as file:
        file.write("x")
    (home / "environment").write_text(json.dumps(dict(os.environ)))
    if (home / "stubborn").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if (home / "broken").exists():
        sys.exit("no such migration, password=" + os.environ["LABEL_STUDIO_PASSWORD"])
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()
        def log_message(self, *_): pass
    time.sleep(0.3)  # as slow as a real start, so that whoever does not wait for it fails
    port = int(sys.argv[sys.argv.index("--port") + 1])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    program = tmp_path / "venv" / "bin" / "label-studio"
    program.parent.mkdir(parents=True)
    program.write_text(textwrap.dedent(PROGRAM).format(python=sys.executable))
    program.chmod(0o755)
    return tmp_path / "venv"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server(home: Path, venv: Path) -> Iterator[LocalServer]:
    server = LocalServer(home, free_port(), venv)
    yield server
    server.down()


def test_up_twice_is_one_server(server: LocalServer, home: Path, venv: Path) -> None:
    assert server.status() is None
    said: list[str] = []
    first = server.up(said.append)
    assert first.url in said[0]
    number = server.process_id
    # Another command, which even names another port, finds the one that runs.
    other = LocalServer(home, free_port(), venv)
    assert other.up() == first == other.status()
    assert other.process_id == number
    assert (home / "labelstudio" / "starts").read_text() == "x"
    assert other.down() is True
    assert (other.down(), other.status(), server.status()) == (False, None, None)


def test_up_at_the_same_time_is_one_server(server: LocalServer, home: Path, venv: Path) -> None:
    ports = [free_port() for _ in range(3)]
    threads = [threading.Thread(target=LocalServer(home, port, venv).up) for port in ports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (home / "labelstudio" / "starts").read_text() == "x"
    assert server.status() is not None


def test_secrets_are_made_once_and_kept_to_oneself(server: LocalServer, home: Path) -> None:
    said: list[str] = []
    first = server.up(said.append)
    server.down()
    assert server.up(said.append) == first
    folder = home / "labelstudio"
    token, password = first.token.get_secret_value(), first.password.get_secret_value()
    assert len(token) == 40
    for name in ("access.json", "server.json", "server.log"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    command = psutil.Process(server.process_id).cmdline()
    for text in (*said, str(first), repr(first), *command, (folder / "server.json").read_text()):
        assert token not in text
        assert password not in text


def test_only_loopback_and_little_of_our_environment(
    server: LocalServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", "true")
    monkeypatch.setenv("STREETLOOP_API_TOKEN", "secret")
    access = server.up()
    given = json.loads((home / "labelstudio" / "environment").read_text())
    assert given["LABEL_STUDIO_HOST"] == access.url
    assert given["LABEL_STUDIO_USERNAME"] == access.user
    assert not {"DEBUG", "STREETLOOP_API_TOKEN"} & set(given)
    assert "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED" not in given
    command = psutil.Process(server.process_id).cmdline()
    assert command[command.index("--internal-host") + 1] == "127.0.0.1"


def test_serves_documents_where_asked(home: Path, venv: Path, tmp_path: Path) -> None:
    server = LocalServer(home, free_port(), venv, documents=tmp_path)
    server.up()
    server.down()
    given = json.loads((home / "labelstudio" / "environment").read_text())
    assert given["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"] == str(tmp_path)


def test_port_that_is_taken(home: Path, venv: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = LocalServer(home, port, venv)
        with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1 is not free"):
            server.up()
    assert server.status() is None
    with pytest.raises(ConfigError, match="not free"):
        LocalServer(home, 70_000, venv).up()


def test_ends_while_it_starts(server: LocalServer, home: Path) -> None:
    (home / "labelstudio").mkdir(parents=True)
    (home / "labelstudio" / "broken").touch()
    with pytest.raises(LabelerError, match=r"ended while it started; .*server\.log") as caught:
        server.up()
    kept = json.loads((home / "labelstudio" / "access.json").read_text())
    assert kept["password"] not in str(caught.value)
    (home / "labelstudio" / "broken").unlink()
    server.up()


def test_never_answers(home: Path, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (venv / "bin" / "label-studio").write_text(f"#!{sys.executable}\nimport time; time.sleep(60)")
    monkeypatch.setattr(local_process, "_START_S", 0.5)
    server = LocalServer(home, free_port(), venv)
    with pytest.raises(LabelerError, match="does not answer"):
        server.up()
    assert server.down()


def test_stubborn_process_is_killed(server: LocalServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_process, "_STOP_S", 0.5)
    (home / "labelstudio").mkdir(parents=True)
    (home / "labelstudio" / "stubborn").touch()
    server.up()
    process = psutil.Process(server.process_id)
    assert server.down()
    assert not process.is_running()


def test_killed_server_is_started_again(server: LocalServer) -> None:
    first = server.up()
    process = psutil.Process(server.process_id)
    process.kill()
    process.wait(60)
    assert server.status() is None
    assert server.up() == first


def test_port_of_a_server_that_is_just_ending(home: Path, venv: Path) -> None:
    port = free_port()
    server = LocalServer(home, port, venv)
    with socket.socket() as ending:
        ending.bind(("127.0.0.1", port))
        threading.Timer(0.5, ending.close).start()
        assert server.up().url.endswith(f":{port}")
    assert server.down()


@pytest.mark.parametrize("change", [{"created": 1.0}, {"pid": os.getpid()}, {"pid": "x"}, {"port": None}])
def test_another_process_of_that_id_is_not_ours(
    server: LocalServer, home: Path, change: dict[str, object]
) -> None:
    server.up()
    process = psutil.Process(server.process_id)
    file = home / "labelstudio" / "server.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert server.status() is None
    assert server.down() is False
    assert process.is_running(), "left alone"
    end(process)


def test_same_id_and_start_but_another_program(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        process = psutil.Process(other.pid)
        local_process.note_running(tmp_path / "server.json", process, 80)
        assert find_running(tmp_path / "server.json") is None
        other.kill()


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"pid": 1e400, "created": 0, "port": 1}'])
def test_odd_notes_mean_that_nothing_runs(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text)
    assert find_running(tmp_path / "server.json") is None


def test_access_that_cannot_be_read(server: LocalServer, home: Path) -> None:
    (home / "labelstudio").mkdir(parents=True)
    (home / "labelstudio" / "access.json").write_text('{"user": "u", "password": "hunter2"}')
    with pytest.raises(ConfigError, match=r"access\.json cannot be read") as caught:
        server.up()
    assert "hunter2" not in str(caught.value)


def test_home_that_cannot_be(tmp_path: Path, venv: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot keep Label Studio in"):
        LocalServer(tmp_path / "file", free_port(), venv).up()


def test_venv_without_label_studio(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no Label Studio"):
        LocalServer(home, free_port(), tmp_path).up()


def wheel(folder: Path) -> Path:
    """A tiny package that installs a program of that name, without a network."""
    path, info = folder / "tiny-1-py3-none-any.whl", "tiny-1.dist-info"
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "def main(): ...\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        archive.writestr(f"{info}/WHEEL", tags)
        program = "[console_scripts]\nlabel-studio = tiny:main\n"
        archive.writestr(f"{info}/entry_points.txt", program)
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_install_once_and_again_if_it_was_cut_off(tmp_path: Path) -> None:
    said: list[str] = []
    venv, tiny = tmp_path / "venv", str(wheel(tmp_path))
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "label-studio").touch()  # no stamp: somebody pulled the plug
    program = install(venv, said.append, tiny)
    assert os.access(program, os.X_OK)
    assert VERSION in said[0]
    assert any(line.startswith("Successfully installed tiny") for line in said)
    said.clear()
    assert install(venv, said.append, tiny) == program
    assert said == []


def test_install_that_fails_says_why(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing-1-py3-none-any.whl")
    with pytest.raises(ConfigError, match=r"cannot install Label Studio: ERROR: .*missing-1"):
        install(tmp_path / "venv", lambda _: None, missing)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot install"):
        install(tmp_path / "file" / "venv", lambda _: None, missing)


@pytest.mark.label_studio
@pytest.mark.timeout(1500)
def test_the_real_one(studio: Studio) -> None:
    assert studio.server.up() == studio.server.status() == studio.access
    folder = studio.documents.parent / "labelstudio"
    log = (folder / "server.log").read_text()
    for secret in (studio.access.token, studio.access.password):
        assert secret.get_secret_value() not in log
    addresses = psutil.Process(studio.server.process_id).net_connections("inet")
    assert {c.laddr.ip for c in addresses if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
