"""The processes of a challenger: deaths are counted, replicas that were asked for are not."""

from concurrent.futures import Future
from typing import Any

import pytest

from serve.rollout.control.challenger import Challenger


def _crashes(*processes: set[int]) -> int:
    """Deaths that are counted if these processes answer, one look after the other."""
    challenger = Challenger()
    for look, found in enumerate([*processes, processes[-1]]):

        def begin(found: set[int] = found) -> Future[dict[str, Any]]:
            answer: Future[dict[str, Any]] = Future()
            answer.set_result({"processes": sorted(found), "memory_mb": 300.0})
            return answer

        challenger.watch_process(begin, 10.0 * (look + 1))
    return challenger.crashes


@pytest.mark.parametrize(
    ("looks", "deaths"),
    [
        ([{1}, {1}], 0),
        ([{1}, {2}], 1),
        ([{1}, {2}, {3}], 2),
        ([{1}, {1, 2}], 0),
        ([{1, 2}, {1, 3}], 1),
        ([{1, 2}, {1}, {1, 3}], 1),
        ([{1, 2}, {1}, {1}, {1, 3}, {1, 3}], 1),
        ([{1, 2}, {3, 4}], 2),
        ([{1}, {1, 2}, {1, 3}], 1),
    ],
)
def test_deaths_are_counted_once(looks: list[set[int]], deaths: int) -> None:
    assert _crashes(*looks) == deaths
