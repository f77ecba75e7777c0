"""Installs, starts and stops a Label Studio server on this machine.

It has its own virtual environment, because its pinned dependencies conflict with ours, and listens
on loopback only. Everything is in ``<home>/labelstudio``::

    venv/          the program
    data/          its database and uploads
    access.json    user, password and token (mode 0600)
    server.json    the running process
    server.log     its output (mode 0600)
"""

import contextlib
import fcntl
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pydantic import SecretStr

from labeling.local_server.install import VERSION, install
from labeling.local_server.process import (
    HOST,
    end,
    find_running,
    note_running,
    require_free_port,
    wait_until_healthy,
)
from streetloop.errors import ConfigError
from streetloop.host.files import PRIVATE, write_whole

PORT = 8080
"""Default port."""

_USER = "streetloop@localhost.localdomain"


@dataclass(frozen=True, slots=True)
class Access:
    """URL of the server, and its first user with password and legacy token."""

    url: str
    user: str
    password: SecretStr = field(repr=False)
    token: SecretStr = field(repr=False)


class LocalServer:
    """The Label Studio server of a home folder; at most one process runs.

    Args:
        home: The home folder.
        port: Port to listen on.
        venv: A virtual environment with Label Studio; by default one is created.
        documents: A folder whose files it may serve; see `LocalFiles`.
    """

    def __init__(
        self, home: Path, port: int = PORT, venv: Path | None = None, documents: Path | None = None
    ) -> None:
        self._folder = home.absolute() / "labelstudio"
        self._port = port
        self._venv = venv
        self._documents = documents
        self._child: subprocess.Popen[bytes] | None = None

    def up(self, say: Callable[[str], None] = lambda _: None) -> Access:
        """Install and start the server if necessary, and wait until it answers.

        Args:
            say: Called with each line of progress.

        Raises:
            ConfigError: The installation failed, or the port is in use.
            LabelerError: The server does not answer.
        """
        with self._alone():
            program = self._program(say)
            running = find_running(self._folder / "server.json")
            if running is None:
                self._require_free_port()
                say(f"starting Label Studio {VERSION} on http://{HOST}:{self._port}")
                running = self._start(program)
            process, port = running
            wait_until_healthy(process, port, self._folder / "server.log")
            return self._access(port)

    def status(self) -> Access | None:
        """URL and credentials of the running server; None if it does not run."""
        running = find_running(self._folder / "server.json")
        return self._access(running[1]) if running is not None else None

    def down(self) -> bool:
        """Stop the server; True if it ran."""
        with self._alone():
            running = find_running(self._folder / "server.json")
            if running is not None:
                end(running[0])
            (self._folder / "server.json").unlink(missing_ok=True)
            return running is not None

    @property
    def process_id(self) -> int | None:
        """Process id of the running server; None if it does not run."""
        running = find_running(self._folder / "server.json")
        return running[0].pid if running is not None else None

    def _program(self, say: Callable[[str], None]) -> Path:
        if self._venv is None:
            return install(self._folder / "venv", say)
        program = self._venv.absolute() / "bin" / "label-studio"
        if not program.exists():
            raise ConfigError(f"{self._venv} has no Label Studio; leave it out, and one is made")
        return program

    def _start(self, program: Path) -> tuple[psutil.Process, int]:
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        log = os.open(self._folder / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        command = [str(program), "start", "--init", "--no-browser", "--log-level", "WARNING"]
        command += ["--internal-host", HOST, "--port", str(self._port)]
        try:
            self._child = subprocess.Popen(
                command,
                env=self._environment(self._access(self._port)),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigError(f"cannot start {program}: {error}") from error
        finally:
            os.close(log)
        process = psutil.Process(self._child.pid)
        note_running(self._folder / "server.json", process, self._port)
        return process, self._port

    def _environment(self, access: Access) -> dict[str, str]:
        # Few variables are passed on: it reads names as common as HOST, PORT and DEBUG.
        passed = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
        environment = {name: os.environ[name] for name in passed if name in os.environ}
        environment |= {
            "HOME": str(self._folder),
            "LABEL_STUDIO_BASE_DATA_DIR": str(self._folder / "data"),
            "LABEL_STUDIO_HOST": access.url,
            "LABEL_STUDIO_USERNAME": access.user,
            "LABEL_STUDIO_PASSWORD": access.password.get_secret_value(),
            "LABEL_STUDIO_USER_TOKEN": access.token.get_secret_value(),
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            # The protection would block webhook calls to this machine.
            "SSRF_PROTECTION_ENABLED": "false",
            "WEBHOOK_TIMEOUT": "5",
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
        }
        if self._documents is not None:
            environment["LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED"] = "true"
            documents = str(self._documents.absolute())
            environment["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"] = documents
        return environment

    def _access(self, port: int) -> Access:
        path = self._folder / "access.json"
        if not path.exists():
            # The server creates its first user with these, once; they must not change.
            first = {"user": _USER, "password": secrets.token_urlsafe(18)}
            token = {"token": secrets.token_hex(20)}
            write_whole(path, json.dumps(first | token), PRIVATE)
        try:
            kept = json.loads(path.read_text())
            return Access(
                f"http://{HOST}:{port}",
                str(kept["user"]),
                SecretStr(kept["password"]),
                SecretStr(kept["token"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} cannot be read: {type(error).__name__}") from error

    def _require_free_port(self) -> None:
        # The server would silently take another port.
        try:
            require_free_port(self._port)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"port {self._port} of {HOST} is not free for Label Studio; name another"
            ) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock: one process at a time installs, starts or stops."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"cannot keep Label Studio in {self._folder}: {error}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
