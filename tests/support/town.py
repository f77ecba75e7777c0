"""A ledger and a learning flow whose trainings and rollouts end as the test says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.learning import learning_flow as learning
from flows.learning.learning_flow import Learned, LearningFlow
from flows.learning.training_plan import TrainingRequest
from serve.rollout.policy import Phase, Policy
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.causes import Cause
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.learning import LearningRun, Step, list_learning
from streetloop.ledger.review_moves import AnswerSource, Choice, answer_review, choose_reviews, mark_pushed
from streetloop.ledger.reviews import add_reviews
from streetloop.ledger.rollouts import Entry, Rollout, RolloutState, move, open_rollout, start_rollout
from streetloop.settings import Settings
from tests.support.samples.frames import review
from tests.support.stream_flow.fakes import FakeClock, eventually


def outcome(accepted: bool = True) -> Learned:
    """What a training learned."""
    return Learned(2, accepted, ("night gained 0.3",))


class Town:
    """A ledger, a flow, and somebody who trains and rolls out as the test says."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.settings = Settings(home=home, learn_labels=3, learn_drift_labels=3, **settings)
        self.ledger: Ledger = open_ledger(self.settings.ledger)
        self.clock = FakeClock()
        self.said: list[str] = []
        self.cameras: list[Camera] = []
        self.asked: list[TrainingRequest] = []
        self.train: Callable[[TrainingRequest], Learned] = lambda _: outcome()
        monkeypatch.setattr(learning, "request_rollout", self._ask)
        self.flow = self.restarted()

    def restarted(self) -> LearningFlow:
        self.flow = LearningFlow(
            self.settings,
            self.ledger,
            self._train,
            Policy(),
            self.clock,
            self.said.append,
            lambda: self.cameras,
        )
        return self.flow

    def _train(self, request: TrainingRequest) -> Learned:
        self.asked.append(request)
        return self.train(request)

    def _ask(
        self, _: Settings, ledger: Ledger, version: str, policy: Policy, who: str, city: str | None
    ) -> Rollout:
        plain = policy.model_dump(mode="json")
        now = self.clock.now()
        return start_rollout(ledger, version, "1", city, plain, Phase().model_dump(), who, now)

    def label(self, count: int, drift: str = "", first: int = 0, camera: str = "a") -> None:
        """So many frames are labeled."""
        now = self.clock.now()
        for seed in range(first, first + count):
            one = review(seed, camera_id=camera)
            add_reviews(self.ledger, [one])
            choose_reviews(self.ledger, [Choice(one.digest, 1.0, drift)], now, now, 10_000)
            mark_pushed(self.ledger, one.digest, now)
            answer_review(self.ledger, one.digest, AnswerSource(now, "ann"), [])

    def drift(self, camera: str = "a") -> None:
        now = self.clock.now()
        open_finding(self.ledger, camera, now, now, "m-1", [Cause("night", 0.9)], True, {})

    @property
    def run(self) -> LearningRun:
        return list_learning(self.ledger)[0]

    def step_until(self, step: Step) -> None:
        def looked() -> bool:
            self.flow.step()
            return self.run.step is step

        eventually(looked)

    def end_rollout(self, state: RolloutState) -> None:
        rollout = open_rollout(self.ledger)
        assert rollout is not None
        entry = Entry(self.clock.now(), "x", "policy", "y", {})
        move(self.ledger, rollout, state, rollout.phase, 0, entry)


def camera(name: str, city: str) -> Camera:
    """A camera of a city."""
    return parse_camera({"id": name, "uri": "rtsp://10.0.0.7/a", "city": city})
