import threading
from collections.abc import Iterator

import pytest

from streetloop.host.read_ahead import read_ahead


def test_items_are_made_while_the_block_works() -> None:
    made = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    with read_ahead(source(), 2) as items:
        assert next(items) == 1
        assert made.wait(60)
        assert list(items) == [2]


def test_no_more_items_wait_than_asked_for() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in range(9):
            made.append(number)
            yield number

    with read_ahead(source(), 2) as items:
        for number in items:
            # Taken, and those that wait, and the one for which there is no room.
            assert len(made) <= number + 1 + 2 + 1
    assert len(made) == 9


def test_an_error_comes_after_what_came_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    with read_ahead(source(), 2) as items:
        assert next(items) == 1
        with pytest.raises(OSError, match="gone"):
            next(items)


def test_a_block_that_is_left_early_closes_the_source_on_its_thread() -> None:
    closed_on: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed_on.append(threading.current_thread().name)

    with read_ahead(source(), 1) as items:
        assert next(items) == 0
    assert closed_on == ["read-ahead"]
