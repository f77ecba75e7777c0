"""Runs the command line as a user does, in a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.support.programs import exports


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; fails if anything else is on it."""
        return json.loads(self.stdout)


class Command:
    """A running ``streetloop ...``, in a process group of its own."""

    def __init__(self, *arguments: str, home: Path) -> None:
        given = {"STREETLOOP_HOME": str(home), "COLUMNS": "120"}
        environment = {"STREETLOOP_LOG_FORMAT": "text", **os.environ, **given}
        self._home = home
        exports.lend(home)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends it to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def finish(self, timeout_s: float = 120) -> Outcome:
        """Wait for the end."""
        try:
            stdout, stderr = self.process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            raise
        exports.keep(self._home)
        return Outcome(self.process.returncode, stdout, stderr)


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that work for a home: its commands, and what those started or left behind."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("STREETLOOP_HOME") == str(home):
                found.append(process)
    return found


def camera_file(folder: Path, *cameras: dict[str, Any]) -> str:
    """Write a camera file and give its path."""
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": list(cameras)}))
    return str(path)
