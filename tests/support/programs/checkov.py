"""checkov, which looks for insecure settings; its pins do not go with those of this project."""

import fcntl
import subprocess
import sys
from pathlib import Path

from tests.support.servers.labels.label_studio_install import CACHE

_VERSION = "3.3.30"


def install_checkov() -> Path:
    """The program, from a virtual environment of its own that is made once."""
    folder = CACHE / f"checkov-{_VERSION}"
    program, stamp = folder / "bin" / "checkov", folder / "installed"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "checkov.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another session of tests installs it just now
        if not stamp.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, f"checkov=={_VERSION}"], check=True, capture_output=True)
            stamp.touch()
    return program
