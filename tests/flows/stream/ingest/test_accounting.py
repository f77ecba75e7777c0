import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.ingest.accounting import Account, DropReason, Fate, FrameAccount

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
    account = FrameAccount()
    decoded, settled = 0, dict.fromkeys(Fate, 0)
    for event in events:
        if event is None:
            account.decoded()
            decoded += 1
        else:
            fate, reason, frames = event
            account.settle(fate, reason, frames)
            settled[fate] += frames

        now = account.snapshot()
        assert now.decoded == decoded
        assert (now.detected, now.gated, now.dropped, now.failed) == tuple(
            settled[fate] for fate in (Fate.DETECTED, Fate.GATED, Fate.DROPPED, Fate.FAILED)
        )
        assert now.decoded == now.detected + now.gated + now.dropped + now.failed + now.pending


def test_reasons_are_counted_beside_fates() -> None:
    account = FrameAccount()
    account.settle(Fate.GATED, DropReason.STILL)
    account.settle(Fate.DROPPED, DropReason.STALE, frames=3)
    account.settle(Fate.DROPPED, DropReason.STALE)
    account.settle(Fate.DETECTED)

    assert account.snapshot().reasons == {"still": 1, "stale": 4}


def test_settling_no_frame_leaves_no_trace() -> None:
    account = FrameAccount()
    account.settle(Fate.DROPPED, DropReason.STOPPED, frames=0)

    assert account.snapshot() == Account()


def test_a_snapshot_does_not_change_afterwards() -> None:
    account = FrameAccount()
    account.settle(Fate.GATED, DropReason.STILL)
    before = account.snapshot()
    account.settle(Fate.GATED, DropReason.STILL)

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

    def work() -> None:
        together.wait(5)
        for _ in range(500):
            account.decoded()
            account.settle(Fate.DROPPED, DropReason.STALE)
            seen = account.snapshot()
            # Another thread may be between its two calls, so up to four frames are in flight.
            assert 0 <= seen.pending <= 4

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert account.snapshot() == Account(decoded=2000, dropped=2000, reasons={"stale": 2000})
