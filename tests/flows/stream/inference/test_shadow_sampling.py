"""Which batches are sent to the other model, too, and that no stream waits for it."""

import threading

import pytest

from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Calls
from streetloop.types import Detections
from tests.support.stream_flow.applications import well
from tests.support.stream_flow.shadow import ALL, SHADOW, ShadowBench, batch_of

OWN = "champion-Oslo"


@pytest.mark.parametrize(("share", "shown"), [(1.0, 40), (0.5, 20), (0.2, 8), (0.01, 0)])
def test_the_share_of_the_table_is_sent_to_both_models(bench: ShadowBench, share: float, shown: int) -> None:
    bench.follow(RouteTable(1, {}, ALL, frozenset(), share))
    taken = sum(bench.show(batch_of(number=k)) for k in range(40))
    assert taken == pytest.approx(shown, abs=1)
    assert len(bench.applications.seen[CHALLENGER]) == 2 * taken


@pytest.mark.parametrize("table", [RouteTable(), RouteTable(1, {}, ALL, ALL, 0.0)])
def test_without_a_rollout_or_a_share_no_sample_is_taken(bench: ShadowBench, table: RouteTable) -> None:
    bench.follow(table)
    assert not any(bench.show(batch_of(number=k)) for k in range(10))
    assert bench.applications.opened == []


def test_cameras_outside_of_the_rollout_are_not_compared(bench: ShadowBench) -> None:
    bench.follow(RouteTable(1, {}, frozenset("a"), frozenset(), 1.0))
    assert not bench.show(batch_of("bc"))
    # The whole batch is sent, also frames of other cameras, so that computing times compare.
    assert bench.show(batch_of("abc"))
    assert bench.evidence().detections == (1, 1)
    assert len(bench.applications.seen[CHALLENGER]) == 3


def test_a_batch_that_the_challenger_serves_is_sampled_at_the_champion(bench: ShadowBench) -> None:
    bench.follow(RouteTable(1, {}, ALL, ALL, 1.0))
    assert bench.show(batch_of(), CHALLENGER)
    assert len(bench.applications.seen[CHAMPION]) == 2
    assert bench.evidence().champion == Calls(1)


def test_the_challenger_is_compared_with_the_citys_own_champion(bench: ShadowBench) -> None:
    bench.follow(RouteTable(1, dict.fromkeys("ab", OWN), ALL, ALL, 1.0))
    assert bench.show(batch_of(), CHALLENGER)
    assert bench.applications.opened == [OWN]


# The streams do not wait


def test_samples_are_shed_and_counted_while_one_is_in_flight(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    sample = bench.sample(batch_of())
    for number in range(5):
        assert bench.shadow.sample(CHAMPION, batch_of(number=number)) is None
    assert bench.evidence().shed == 5
    assert len(bench.applications.seen[CHALLENGER]) == 2

    bench.answer(sample, [Detections.empty()] * 2)
    bench.settle()
    assert bench.show(batch_of())
    assert bench.evidence().shed == 5


def test_a_hanging_challenger_blocks_no_caller(bench: ShadowBench) -> None:
    never = threading.Event()

    def hang(images: object, timeout_s: float) -> list[Detections]:
        never.wait(10)
        return []

    bench.applications.does[CHALLENGER] = hang
    bench.follow(SHADOW)
    sample = bench.sample(batch_of())
    # Neither the served answer nor the next batches wait for it.
    bench.answer(sample, [Detections.empty()] * 2)
    assert not any(bench.show(batch_of(number=k)) for k in range(20))
    assert bench.evidence().shed == 20
    never.set()


def test_closing_waits_for_the_sample_in_flight(bench: ShadowBench) -> None:
    bench.follow(SHADOW)
    sample = bench.sample(batch_of())
    bench.answer(sample, well(batch_of().images, 1.0))
    bench.shadow.close()
    assert bench.evidence().detections == (2, 2)
