import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.ingest.accounting import DropReason, FrameAccount
from flows.stream.ingest.mailbox import Mailbox
from streetloop.types import Frame
from tests.support.stream_flow.build import CountingMailbox, dropped, frame


def _mailbox(
    account: FrameAccount, staleness_s: float = 0.5, *, lossless: bool = False
) -> tuple[Mailbox, threading.Condition]:
    ready = threading.Condition()
    return CountingMailbox(account, staleness_s, ready, lossless=lossless), ready


def _ids(frames: list[Frame]) -> list[int]:
    return [f.frame_id for f in frames]


def _put(mailbox: Mailbox, count: int, arrived_s: float = 0.0) -> None:
    for index in range(count):
        mailbox.put(frame(index, arrived_s=arrived_s))


def test_frames_come_out_oldest_first() -> None:
    mailbox, ready = _mailbox(FrameAccount())
    _put(mailbox, 5)

    with ready:
        assert _ids(mailbox.take(2, backlog=9, now_s=0.0)) == [0, 1]
        assert _ids(mailbox.take(9, backlog=9, now_s=0.0)) == [2, 3, 4]
        assert mailbox.take(9, backlog=9, now_s=0.0) == []


def test_a_stale_frame_is_dropped_and_counted() -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account, staleness_s=0.5)
    for index, arrived_s in enumerate([1.0, 1.2, 1.6]):
        mailbox.put(frame(index, arrived_s=arrived_s))

    with ready:
        assert _ids(mailbox.take(9, backlog=9, now_s=1.75)) == [2]
    assert dropped(account, DropReason.STALE) == 2
    assert account.snapshot().dropped == 2


def test_a_frame_within_the_budget_is_kept() -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account, staleness_s=0.5)
    mailbox.put(frame(0, arrived_s=1.0))

    with ready:
        assert _ids(mailbox.take(1, backlog=9, now_s=1.5)) == [0]
    assert account.snapshot().dropped == 0


@pytest.mark.parametrize(
    ("waiting", "backlog", "kept"),
    [(10, 5, [1, 3, 5, 7, 9]), (10, 3, [2, 5, 9]), (7, 1, [6]), (4, 4, [0, 1, 2, 3]), (3, 0, [2])],
)
def test_a_backlog_is_thinned_evenly(waiting: int, backlog: int, kept: list[int]) -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account)
    _put(mailbox, waiting)

    with ready:
        assert _ids(mailbox.take(99, backlog, now_s=0.0)) == kept
    assert dropped(account, DropReason.SUPERSEDED) == waiting - len(kept)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_thinning_keeps_the_newest_and_leaves_no_wide_gap(waiting: int, backlog: int) -> None:
    mailbox, ready = _mailbox(FrameAccount())
    _put(mailbox, waiting)

    with ready:
        kept = _ids(mailbox.take(999, backlog, now_s=0.0))

    assert len(kept) == min(waiting, backlog)
    assert kept[-1] == waiting - 1
    steps = [after - before for before, after in zip([-1, *kept], kept, strict=False)]
    assert max(steps) - min(steps) <= 1


def test_memory_is_bounded_when_nobody_reads() -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account)
    _put(mailbox, 1000)

    assert len(mailbox) < 1000
    assert dropped(account, DropReason.SUPERSEDED) == 1000 - len(mailbox)
    with ready:
        assert mailbox.take(999, backlog=999, now_s=0.0)[-1].frame_id == 999


def test_a_frame_that_does_not_fit_stays_and_so_do_those_behind_it() -> None:
    mailbox, ready = _mailbox(FrameAccount())
    _put(mailbox, 5)

    with ready:
        first = mailbox.take(9, 9, 0.0, fits=lambda f: f.frame_id != 2)
        second = mailbox.take(9, 9, 0.0)
    assert _ids(first) == [0, 1]
    assert _ids(second) == [2, 3, 4]


def test_closing_drops_waiting_frames_and_refuses_new_ones() -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account)
    _put(mailbox, 3)
    mailbox.close()

    assert not mailbox.put(frame(3))
    with ready:
        assert mailbox.take(9, 9, 0.0) == []
    assert dropped(account, DropReason.STOPPED) == 4
    mailbox.close()
    assert account.snapshot().dropped == 4


def test_waiting_threads_are_notified_of_frames_wakes_and_closing() -> None:
    mailbox, ready = _mailbox(FrameAccount())
    for news in (lambda: mailbox.put(frame(0)), mailbox.wake, mailbox.close):
        with ready:
            thread = threading.Thread(target=news)
            thread.start()
            assert ready.wait(60)
        thread.join(60)


def test_a_lossless_mailbox_neither_drops_stale_frames_nor_thins() -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account, staleness_s=0.5, lossless=True)
    _put(mailbox, 10)

    with ready:
        assert _ids(mailbox.take(99, backlog=1, now_s=1000.0)) == list(range(10))
    assert account.snapshot().dropped == 0


def test_a_lossless_writer_blocks_at_capacity() -> None:
    mailbox, ready = _mailbox(FrameAccount(), lossless=True)
    _put(mailbox, 3)
    is_in = threading.Event()

    def write() -> None:
        mailbox.put(frame(3), capacity=3)
        is_in.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert not is_in.wait(0.05)
    with ready:
        assert _ids(mailbox.take(1, 9, 0.0)) == [0]
    assert is_in.wait(60)
    writer.join(60)
    with ready:
        assert _ids(mailbox.take(9, 9, 0.0)) == [1, 2, 3]


def test_closing_unblocks_a_lossless_writer() -> None:
    account = FrameAccount()
    mailbox, _ = _mailbox(account, lossless=True)
    _put(mailbox, 1)
    put: list[bool] = []
    writer = threading.Thread(target=lambda: put.append(mailbox.put(frame(1), capacity=1)))
    writer.start()
    mailbox.close()
    writer.join(60)

    assert put == [False]
    assert dropped(account, DropReason.STOPPED) == 2


_STEPS = st.lists(
    st.one_of(
        st.floats(0, 0.4).map(lambda passed: ("put", passed)),
        st.tuples(st.integers(1, 6), st.integers(0, 8)).map(lambda sizes: ("take", sizes)),
        st.just(("close", None)),
    ),
    max_size=80,
)


@settings(deadline=None)
@given(_STEPS, st.booleans())
def test_every_frame_put_is_taken_once_or_counted(steps: list[tuple[str, object]], lossless: bool) -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account, lossless=lossless)
    put, now_s = 0, 0.0
    taken: list[int] = []
    for step, value in steps:
        if step == "put":
            assert isinstance(value, float)
            now_s += value
            # Capacity for all: a single thread must not block.
            mailbox.put(frame(put, arrived_s=now_s), capacity=1000)
            put += 1
        elif step == "take":
            assert isinstance(value, tuple)
            with ready:
                batch = mailbox.take(*value, now_s)
            assert len(batch) <= value[0]
            taken += _ids(batch)
        else:
            mailbox.close()

        assert put == len(taken) + len(mailbox) + account.snapshot().dropped
    assert taken == sorted(set(taken))
    if lossless:
        assert set(account.snapshot().reasons) <= {"stopped"}


def test_a_lossless_writer_and_reader_pass_every_frame_in_order() -> None:
    account = FrameAccount()
    mailbox, ready = _mailbox(account, lossless=True)
    writer = threading.Thread(target=lambda: [mailbox.put(frame(i), capacity=4) for i in range(300)])
    writer.start()
    taken: list[int] = []
    while len(taken) < 300:
        with ready:
            assert ready.wait_for(lambda: len(mailbox) > 0, 5)
            assert len(mailbox) <= 4
            taken += _ids(mailbox.take(3, 1, 0.0))
    writer.join(60)

    assert taken == list(range(300))
    assert account.snapshot().dropped == 0
