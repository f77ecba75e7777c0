"""Ray for one command."""

import subprocess
import sys

import pytest

SCRIPT = """
from flows.cluster import local_ray
with local_ray():
    import ray
    from ray.exceptions import RayError
    assert ray.get(ray.put(1)) == 1
try:
    ray.put(2)
except RayError:
    print("ended:", not ray.is_initialized())
"""


@pytest.mark.ray
def test_nothing_starts_another_ray_after_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip().endswith("ended: True"), done.stderr
