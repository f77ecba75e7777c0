import re

from flows.reports.replay_html import replay_page
from streetloop.control.archive_views import ReplayView, VersionSeenView


def test_the_page_has_the_comparison_and_marks_what_differs() -> None:
    served = VersionSeenView(detections=80, tracks=7, lines={"mid": {"in": 3, "out": 1}}, events={"queue": 1})
    replayed = served.model_copy(update={"detections": 95, "events": {"queue": 0}})
    view = ReplayView(frames=40, matched=39, differing=1, fps=51.26, versions={"3": served, "<4>": replayed})
    page = replay_page(view, "a40", "<4>", ("2h", "1h"))
    assert "2.50% of frames differ" in page
    assert "51.3 frames a second" in re.sub(r"\s+", " ", page)
    assert "<4>" not in page, "names are escaped"
    cells = re.findall(r'<td class="(.*?)">(\d+)</td>', page)
    assert cells == [
        *(("n", "80"), ("n other", "95")),
        *(("n", "7"), ("n", "7")),
        *(("n", "3"), ("n", "3")),
        *(("n", "1"), ("n", "1")),
        *(("n", "1"), ("n other", "0")),
    ]


def test_answers_that_were_known_have_no_speed() -> None:
    view = ReplayView(frames=40, matched=40, differing=0, fps=0.0, versions={"3": VersionSeenView()})
    page = replay_page(view, "a40", "3", ("2h", "now"))
    assert "frames a second" not in page
    assert "0.00% of frames differ" in page
