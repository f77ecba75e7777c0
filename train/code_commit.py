"""The commit of the running code."""

import subprocess
from pathlib import Path


def code_commit() -> str:
    """The commit as `git describe` names it; ``unknown`` outside a checkout."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return asked.stdout.strip() or "unknown"
