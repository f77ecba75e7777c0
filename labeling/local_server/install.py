"""Installs Label Studio into its own virtual environment."""

import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from streetloop.errors import ConfigError

VERSION = "1.23.2"
"""The version that is installed."""

_INSTALL_S = 1800.0
_SHOWN_LINES = ("Collecting ", "Downloading ", "Installing ", "Successfully ")


def install(venv: Path, say: Callable[[str], None], requirement: str = "") -> Path:
    """Install Label Studio, unless it is there already.

    An interrupted installation is repeated from the start.

    Args:
        venv: Folder of the virtual environment; it is deleted before an installation.
        say: Called with each line of progress.
        requirement: What pip installs; by default the tested version.

    Returns:
        The program.

    Raises:
        ConfigError: It cannot be installed; the message ends with pip's last line.
    """
    program = venv / "bin" / "label-studio"
    stamp = venv / f"streetloop-{VERSION}"
    if stamp.exists() and program.exists():
        return program
    try:
        if venv.exists():
            shutil.rmtree(venv)
        say(f"installing Label Studio {VERSION} into {venv}; this takes one to three minutes")
        _run([sys.executable, "-m", "venv", str(venv)], say)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off"]
        _run([*pip, "--no-input", requirement or f"label-studio=={VERSION}"], say)
        stamp.touch()
    except OSError as error:
        raise ConfigError(f"cannot install Label Studio into {venv}: {error}") from error
    return program


def _run(command: Sequence[str], say: Callable[[str], None]) -> None:
    last: deque[str] = deque(maxlen=1)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        limit = threading.Timer(_INSTALL_S, process.kill)
        limit.start()
        try:
            for line in process.stdout or ():
                if line.strip():
                    last.append(line.strip())
                if line.startswith(_SHOWN_LINES):
                    say(line.strip()[:200])
        finally:
            limit.cancel()
    if process.returncode != 0:
        said = last[0] if last else f"exit code {process.returncode}"
        raise ConfigError(f"cannot install Label Studio: {said[:300]}")
