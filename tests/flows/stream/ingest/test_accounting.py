import dataclasses
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.ingest.accounting import Account, DropReason, Fate, FrameAccount, SettledFrame
from streetloop.types import Frame
from tests.support.stream_flow.build import frame

_EVENTS = st.lists(
    st.one_of(
        st.just(None),
        st.tuples(
            st.sampled_from(Fate),
            st.none() | st.sampled_from(DropReason),
            st.integers(min_value=0, max_value=5),
        ),
    )
)
_COUNTS = st.integers(min_value=0, max_value=10**9)


def _accounts() -> st.SearchStrategy[Account]:
    return st.builds(
        lambda fates, pending, reasons: Account(sum(fates) + pending, *fates, reasons),
        st.tuples(_COUNTS, _COUNTS, _COUNTS, _COUNTS),
        _COUNTS,
        st.dictionaries(st.sampled_from([reason.value for reason in DropReason]), _COUNTS),
    )


@settings(deadline=None)
@given(_EVENTS)
def test_every_decoded_frame_has_one_fate_or_is_pending(
    events: list[tuple[Fate, DropReason | None, int] | None],
) -> None:
    told: list[SettledFrame] = []
    account = FrameAccount(told.append)
    frames: list[Frame] = []
    pending: list[Frame] = []
    settled = dict.fromkeys(Fate, 0)
    for event in events:
        if event is None:
            frames.append(frame(len(frames)))
            pending.append(frames[-1])
            account.decoded(frames[-1])
        else:
            fate, reason, number = event
            chosen, pending = pending[:number], pending[number:]
            account.settle(chosen, fate, reason)
            settled[fate] += len(chosen)

        now = account.snapshot()
        assert now.decoded == len(frames)
        assert (now.detected, now.gated, now.dropped, now.failed) == tuple(
            settled[fate] for fate in (Fate.DETECTED, Fate.GATED, Fate.DROPPED, Fate.FAILED)
        )
        assert now.pending == len(pending)
    assert [one.frame_id for one in told] == list(range(len(frames) - len(pending)))


def _account(frames: int) -> tuple[FrameAccount, list[Frame]]:
    account, some = FrameAccount(), [frame(number) for number in range(frames)]
    for one in some:
        account.decoded(one)
    return account, some


def test_reasons_are_counted_beside_fates() -> None:
    account, frames = _account(6)
    account.settle(frames[:1], Fate.GATED, DropReason.STILL)
    account.settle(frames[1:4], Fate.DROPPED, DropReason.STALE)
    account.settle(frames[4:5], Fate.DROPPED, DropReason.STALE)
    account.settle(frames[5:], Fate.DETECTED)

    assert account.snapshot().reasons == {"still": 1, "stale": 4}


def test_the_first_fate_of_a_frame_counts() -> None:
    account, frames = _account(1)
    account.settle(frames, Fate.DETECTED)
    account.settle(frames, Fate.FAILED, DropReason.WORKER)

    assert account.snapshot() == Account(decoded=1, detected=1)


def test_a_settled_frame_says_what_became_of_it() -> None:
    told: list[SettledFrame] = []
    account = FrameAccount(told.append)
    first, second = frame(0), frame(1)
    for one in (first, second):
        account.decoded(one)
    account.settle([first], Fate.DETECTED, None, "m-1", "onnx/fp32")
    account.settle([second], Fate.GATED, DropReason.RATE)

    assert told == [
        SettledFrame("a", 0, first.pts, first.captured_at, Fate.DETECTED, None, "m-1", "onnx/fp32"),
        SettledFrame("a", 1, second.pts, second.captured_at, Fate.GATED, DropReason.RATE),
    ]


def test_frames_that_are_pending_at_the_close_get_their_fate() -> None:
    account, frames = _account(3)
    account.settle(frames[:1], Fate.DETECTED)
    account.close(Fate.FAILED, DropReason.WORKER)

    assert account.snapshot() == Account(decoded=3, detected=1, failed=2, reasons={"worker": 2})


def test_a_frame_that_is_decoded_after_the_close_is_not_counted() -> None:
    account, frames = _account(1)
    account.close(Fate.DROPPED, DropReason.STOPPED)
    late = dataclasses.replace(frames[0], frame_id=7)
    account.decoded(late)
    account.settle([late], Fate.DETECTED)

    assert account.snapshot() == Account(decoded=1, dropped=1, reasons={"stopped": 1})


def test_a_snapshot_does_not_change_afterwards() -> None:
    account, frames = _account(2)
    account.settle(frames[:1], Fate.GATED, DropReason.STILL)
    before = account.snapshot()
    account.settle(frames[1:], Fate.GATED, DropReason.STILL)

    assert before.gated == 1
    assert before.reasons == {"still": 1}


@settings(deadline=None)
@given(_accounts(), _accounts())
def test_accounts_add_up_field_by_field(one: Account, other: Account) -> None:
    both = one + other

    assert both.decoded == one.decoded + other.decoded
    assert both.pending == one.pending + other.pending
    assert sum(both.reasons.values()) == sum(one.reasons.values()) + sum(other.reasons.values())
    assert both == other + one


@settings(deadline=None)
@given(_accounts(), st.sampled_from(DropReason))
def test_closing_an_account_fails_what_was_pending(account: Account, reason: DropReason) -> None:
    closed = account.closed(reason)

    assert closed.pending == 0
    assert closed.decoded == account.decoded
    assert closed.failed == account.failed + account.pending
    known = account.reasons.get(reason.value, 0)
    assert closed.reasons.get(reason.value, 0) == known + account.pending
    assert closed.closed(reason) == closed


def test_concurrent_counts_are_not_lost() -> None:
    account = FrameAccount()
    together = threading.Barrier(4)

    def work(first: int) -> None:
        together.wait(60)
        for number in range(first, first + 500):
            account.decoded(frame(number))
            account.settle([frame(number)], Fate.DROPPED, DropReason.STALE)
            seen = account.snapshot()
            # Another thread may be between its two calls, so up to four frames are in flight.
            assert 0 <= seen.pending <= 4

    threads = [threading.Thread(target=work, args=(500 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert account.snapshot() == Account(decoded=2000, dropped=2000, reasons={"stale": 2000})
