"""Ray for one command."""

import subprocess
import sys
from typing import Any

import pytest
import ray

from flows.runtime.ray_cluster import local_ray, refuse_bad_temporary_folder
from streetloop.errors import ClusterError, ConfigError

SCRIPT = """
from flows.runtime.ray_cluster import local_ray
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


class Reluctant:
    """A Ray that fails to start some times."""

    def __init__(self, failures: int) -> None:
        self.failures, self.asked = failures, 0

    def __call__(self, **_: Any) -> None:
        self.asked += 1
        if self.asked <= self.failures:
            raise Exception("The current node timed out.")  # noqa: TRY002 (as Ray does)


@pytest.mark.parametrize(("failures", "asked"), [(0, 1), (1, 2)])
def test_a_ray_that_fails_once_is_started_again(
    monkeypatch: pytest.MonkeyPatch, failures: int, asked: int
) -> None:
    start = Reluctant(failures)
    monkeypatch.setattr(ray, "init", start)
    with local_ray():
        assert start.asked == asked


def test_a_ray_that_fails_twice_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Reluctant(9)
    monkeypatch.setattr(ray, "init", start)
    with pytest.raises(ClusterError, match=r"did not start.*timed out.*logs"), local_ray():
        pass
    assert start.asked == 2


@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
@pytest.mark.parametrize(
    ("folder", "words"), [("/tmp/" + "x" * 85, "90 bytes is too long"), ("/proc/none", "cannot be written")]
)
def test_a_temporary_folder_that_ray_cannot_use_is_refused_by_the_name_of_its_variable(
    name: str, folder: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: .*{words}.*RAY_TMPDIR=/tmp"):
        refuse_bad_temporary_folder({name: folder})


def test_a_short_folder_for_ray_makes_a_long_one_of_others_usable() -> None:
    refuse_bad_temporary_folder({"RAY_TMPDIR": "/tmp", "TMPDIR": "/tmp/" + "x" * 85})
    refuse_bad_temporary_folder({})
