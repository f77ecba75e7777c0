"""Counts as bars: what they say, and that strangers' names are shown and not run."""

import re
from datetime import UTC, datetime, timedelta

from serve.web.app.count_chart import draw_counts
from streetloop.cameras.speed_summary import SpeedSummary
from streetloop.control.history.count_view import CountView

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'"


def view(
    minute: int,
    count: int,
    class_name: str | None = "car",
    *,
    direction: str = "in",
    line: str = "gate",
    coverage: float = 1.0,
    inferred: int = 0,
) -> CountView:
    start = NOON + timedelta(minutes=minute)
    return CountView(
        start=start,
        end=start + timedelta(minutes=1),
        line=line,
        direction=direction,
        class_name=class_name,
        count=count,
        inferred=inferred,
        coverage=coverage,
    )


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_a_bar_is_as_high_as_its_count_and_says_what_it_is() -> None:
    page = draw_counts(
        [view(0, 3, "bus"), view(0, 1), view(1, 0, "bus", coverage=0.5), view(1, 2, inferred=1, coverage=0.5)]
    )
    parts = re.findall(r'y="([\d.]+)" width="0.84" height="([\d.]+)" fill="(#\w+)"', page)
    bus, car = parts[0][2], parts[1][2]
    assert bus != car
    assert parts == [("10.00", "30.00", bus), ("0.00", "10.00", car), ("20.00", "20.00", car)]
    assert "Sun 01 Mar 12:00-12:01 UTC: bus 3, car 1; looked at 100% of the time" in page
    assert "Sun 01 Mar 12:01-12:02 UTC: car 2, 1 of them inferred; looked at 50% of the time" in page
    assert "gate in 6" in words(page)
    assert "the highest is 4" in words(page)


def test_what_was_not_looked_at_is_marked_in_the_bars_and_left_out_of_the_table() -> None:
    page = draw_counts([view(0, 1), view(1, 0, coverage=0.0), view(2, 0)])
    assert re.findall(r"fill-opacity:([\d.]+)", page) == ["0.00", "0.35", "0.00"]
    table = words(page[page.index("<table") :])
    assert "12:00-12:01 UTC 1 100 %" in table
    assert "12:02-12:03 UTC 0 100 %" in table
    assert "12:01-12:02" not in table
    assert table.index("12:02-12:03") < table.index("12:00-12:01"), "the newest comes first"


def test_each_line_and_direction_has_a_chart() -> None:
    page = draw_counts(
        [view(0, 1, line=line, direction=way) for line in ("bridge", "gate") for way in ("in", "out")]
    )
    assert re.findall(r'aria-label="(.*?)"', page) == [
        f"1 crossings of {line}, {way}" for line in ("bridge", "gate") for way in ("in", "out")
    ]


def test_without_lines_and_without_anybody_who_looked_it_says_so() -> None:
    assert "No counting lines yet" in draw_counts([])
    assert "was not looked at" in draw_counts([view(0, 0, None, coverage=0.0)])
    assert "svg" in draw_counts([view(0, 0, None)]), "nothing crossed, and somebody looked"


def test_names_are_shown_and_not_run() -> None:
    page = draw_counts([view(0, 1, EVIL, line=EVIL)])
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_speeds_are_in_the_hint_and_in_the_table() -> None:
    timed = view(0, 3).model_copy(update={"speed": SpeedSummary(3, 51.8, 60)})
    page = draw_counts([timed, view(0, 1, "bus")])
    assert "12:00-12:01 UTC: car 3 at 52 km/h, V85 60, bus 1; looked at" in page
    assert "4 car at 52 km/h, V85 60" in words(page)
