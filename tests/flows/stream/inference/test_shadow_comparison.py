"""The evidence from batches that both models answered."""

import math

import numpy as np
import pytest

from flows.stream.inference.shadow_comparison import ShadowComparison
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Calls, Evidence
from streetloop.errors import AnswerInvalid
from streetloop.types import Frame, Tracked
from tests.support.stream_flow.applications import NAMES, counting_wrong, failing, marked, saying, well
from tests.support.stream_flow.build import NOON, found
from tests.support.stream_flow.shadow import ALL, SHADOW, ShadowBench, batch_of


def test_failed_calls_are_counted_and_the_next_sample_is_taken(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    bench.applications.does[CHALLENGER] = failing
    assert bench.show(batch_of())
    bench.applications.does[CHALLENGER] = well
    assert bench.show(batch_of())
    assert bench.evidence().challenger == Calls(2, 1, 0)
    assert bench.evidence().frames == 2
    assert bench.evidence().detections == (2, 2)


def test_a_refused_call_counts_as_failed() -> None:
    class _Refusing:
        def submit(self, images: object) -> object:
            raise AnswerInvalid("no such application")

    shadow = ShadowComparison(lambda _: _Refusing(), lambda: SHADOW, NAMES, {}, 0.25)  # type: ignore[arg-type, return-value]
    for _ in range(3):
        assert shadow.sample(CHAMPION, batch_of()) is None
    evidence = shadow.collect()
    assert evidence.challenger == Calls(3, 3, 3)
    assert evidence.shed == 0


@pytest.mark.parametrize(
    "does",
    [
        saying(found((float("nan"), 0, 1, 1))),
        saying(found((0, 0, 9, 9), class_id=2)),
        saying(found((0, 0, 9000, 9))),
        counting_wrong,
    ],
)
def test_an_invalid_answer_is_counted_and_not_compared(bench: ShadowBench, does: object) -> None:
    bench.follow(SHADOW)
    bench.applications.does[CHALLENGER] = does  # type: ignore[assignment]
    assert bench.show(batch_of())
    assert bench.evidence().challenger == Calls(1, 1, 1)
    assert bench.evidence().detections == (0, 0)
    assert bench.evidence().latency.count == 0


def test_without_the_serving_models_answer_nothing_is_compared(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    sample = bench.sample(batch_of())
    bench.shadow.answered(sample, None)
    bench.settle()
    assert bench.evidence().challenger == Calls(1)
    assert bench.evidence().detections == (0, 0)


@pytest.mark.parametrize(("application", "ratio"), [(CHAMPION, 2.0), (CHALLENGER, 0.5)])
def test_the_latency_ratio_is_challenger_to_champion(
    bench: ShadowBench, application: str, ratio: float
) -> None:
    # The model that is not serving takes 0.04 s.
    bench.applications.seconds = {CHAMPION: 0.04, CHALLENGER: 0.04}
    bench.follow(RouteTable(1, {}, ALL, ALL, 1.0))
    assert bench.show(batch_of(), application, seconds=0.02)
    assert math.exp(bench.evidence().latency.mean) == pytest.approx(ratio)


def test_boxes_below_the_confidence_threshold_are_not_compared(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    unsure = found((100, 60, 140, 90), (10, 10, 40, 40), confidence=[0.9, 0.2])
    bench.applications.does[CHALLENGER] = saying(unsure)
    assert bench.show(batch_of(), boxes=unsure)
    assert bench.evidence().detections == (2, 2)
    assert bench.evidence().agreement.mean == 1.0


def test_evidence_of_one_rollout_does_not_leak_into_the_next(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    assert bench.show(batch_of())
    bench.follow(RouteTable(2))
    bench.shadow.note_call(4, None, challenger=True)
    bench.follow(SHADOW)
    assert bench.shadow.collect() == Evidence()


def test_a_new_share_keeps_the_evidence(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    assert bench.show(batch_of())
    bench.follow(RouteTable(2, {}, ALL, frozenset("a"), 1.0))
    assert bench.evidence().detections == (2, 2)


def test_served_results_are_evidence_about_the_model_that_answered(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    tracked = Tracked(found((10, 10, 50, 50)), np.array([7]))
    for k in range(10):
        one = _served("a", k)
        bench.shadow.served(one, tracked, challenger=k >= 5)
        bench.shadow.served(_served("stranger", k), tracked, challenger=False)
    known = bench.shadow.collect().cameras
    assert known.keys() == {"a"}
    assert (known["a"].champion.frames, known["a"].challenger.frames) == (5, 5)
    assert known["a"].champion.track_s == pytest.approx(0.4)
    bench.follow(RouteTable(2))
    bench.shadow.served(_served("a", 11), tracked, challenger=True)
    assert bench.shadow.collect() == Evidence()


def _served(camera_id: str, k: int) -> Frame:
    return Frame(camera_id, k, k / 10, NOON, 0.0, marked(0, 1)[0].picture)


def test_an_answer_in_shadow_is_metered_and_a_failed_one_is_not(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    assert bench.show(batch_of())
    assert [application for application, _ in bench.sampled] == [CHALLENGER]
    bench.applications.does[CHALLENGER] = failing
    assert bench.show(batch_of())
    assert len(bench.sampled) == 1
