"""Where the benchmarks find real clips and weights: the same place as the tests."""

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
DATA = Path(os.environ.get("STREETLOOP_TEST_DATA", _BESIDE)).absolute()
WEIGHTS = DATA / "weights/yolov8n.pt"
