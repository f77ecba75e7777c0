"""Which process of the web app answers, as the session sees it."""

from collections.abc import Sequence
from typing import Any

from ray.exceptions import RayActorError

from serve.web.web_app import RunningWebApp


class _Handle:
    """A handle of an application whose answers are scripted."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.note = self

    def remote(self, cameras: Sequence[Any], hosts: dict[str, Any]) -> "_Handle":
        return self

    def result(self, timeout_s: float) -> str:
        assert timeout_s == 0
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_process_is_the_one_that_answered_last_and_nothing_waits() -> None:
    app = RunningWebApp(_Handle(TimeoutError(), "1-a", RayActorError(), "2-b"))
    assert app.process() is None
    seen = []
    for _ in range(4):
        app.note([], {})
        seen.append(app.process())
    assert seen == [None, "1-a", "1-a", "2-b"]
