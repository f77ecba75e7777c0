"""Real weights, clips and labeled images that stand beside the project, not in it.

They are looked for in ``$STREETLOOP_TEST_DATA``, by default in ``../shared/data``. A test whose
material is missing is skipped on a user's machine and fails in CI.
"""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def material(name: str) -> Path:
    """The path of a piece of material, such as ``weights/yolov8n.pt``."""
    # Absolute, for a relative one is meant from where the tests were started.
    path = Path(os.environ.get("STREETLOOP_TEST_DATA", _BESIDE)).absolute() / name
    if path.exists():
        return path
    message = f"{path} is missing: set STREETLOOP_TEST_DATA to the folder with the test material"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
