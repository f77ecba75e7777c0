"""Which past incident is the most like one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.incident_history import history
from benchmarks.similar_incidents import by_kind, by_product, by_text, most_shared
from flows.reports.incidents.embeddings import tf_idf
from flows.reports.incidents.find import find_incidents
from flows.reports.incidents.past_cases import past_cases
from flows.reports.incidents.similar import by_words, describe, most_similar
from streetloop.control.report_views import IncidentView
from streetloop.ledger import Ledger
from streetloop.ledger.events import comment_event
from tests.support.incidents import NOW, new_ledger, row, write

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


def incident(number: int, **more: Any) -> IncidentView:
    plain = {
        "id": number,
        "events": [number],
        "kinds": ["camera_lost"],
        "cameras": ["a"],
        "started_at": AT,
        "ended_at": AT + timedelta(minutes=10),
        "cause": "the camera did not answer",
        "certainty": 0.7,
        "done": [],
        "todo": [],
    }
    return IncidentView(**{**plain, **more})


def first(asked: IncidentView, *past: IncidentView) -> int:
    return most_similar(asked, past, 1, by_words)[0].incident.id


def test_what_people_wrote_describes_an_incident_else_the_system_does() -> None:
    assert describe(incident(1)) == "the camera did not answer"
    assert describe(incident(1, notes=["fuse blown", "mended"])) == "fuse blown. mended"


@pytest.mark.parametrize(
    ("asked", "like", "unlike"),
    [
        ({"notes": ["the fuse was blown"]}, {"notes": ["blown fuse"]}, {"notes": ["a spider sat there"]}),
        ({}, {}, {"kinds": ["drift"]}),
        ({}, {}, {"cause": "wrong password"}),
        ({}, {"started_at": AT + timedelta(days=9)}, {"started_at": AT + timedelta(hours=9)}),
        ({}, {}, {"ended_at": AT + timedelta(days=2)}),
        ({}, {"cameras": ["b"]}, {"cameras": [f"c{k}" for k in range(9)]}),
    ],
)
def test_each_of_text_and_facts_counts(asked: Any, like: Any, unlike: Any) -> None:
    if "started_at" in like or "started_at" in unlike:
        like, unlike = (
            {**one, "ended_at": one["started_at"] + timedelta(minutes=10)} for one in (like, unlike)
        )
    assert first(incident(1, **asked), incident(2, **unlike), incident(3, **like)) == 3


def test_an_equal_one_scores_one_and_itself_is_left_out() -> None:
    asked = incident(1)
    (other,) = most_similar(asked, [asked, incident(2)], 5, by_words)
    assert (other.incident.id, other.score, other.method) == (2, 1.0, "tf-idf")
    assert most_similar(asked, [asked], 5, by_words) == []
    assert most_similar(asked, [], 5, by_words) == []


def test_one_that_goes_on_and_has_no_words_is_compared() -> None:
    (other,) = most_similar(incident(1, ended_at=None, cause="!"), [incident(2)], 5, by_words)
    assert 0 < other.score < 1


def test_a_generated_history_is_told_apart_better_than_by_words_or_kind() -> None:
    incidents, causes = history(1)
    assert (len(incidents), len(set(causes))) == (300, 12)
    assert most_shared() <= 0.5
    words = by_text(incidents, causes, tf_idf([describe(one) for one in incidents]))
    ours = by_product(incidents, causes, by_words)
    assert ours > 0.7, "without a model of language; benchmarks.similar_incidents has it with one"
    assert ours > words + 0.1
    assert ours > by_kind(incidents, causes) + 0.1


def test_a_report_names_the_past_one_that_is_alike_with_what_helped(ledger: Ledger) -> None:
    long_ago = NOW - timedelta(days=30)
    write(ledger, [row("camera_lost", long_ago, 10, "a", cause="no route to host")])
    write(ledger, [row("drift", long_ago + timedelta(days=1), 900, "b")])
    find_incidents(ledger, long_ago, NOW)
    comment_event(ledger, 1, "The fuse had blown", "ann")
    write(ledger, [row("camera_lost", NOW - timedelta(hours=1), 12, "c", cause="no route to host")])
    found = find_incidents(ledger, NOW - timedelta(days=1), NOW)
    (case,) = past_cases(found, ledger)
    assert (case.incident, case.like) == (3, 1)
    assert case.helps[0] == "The fuse had blown"
    assert past_cases([], ledger) == []


def test_a_report_names_none_that_is_of_another_kind_or_came_later(ledger: Ledger) -> None:
    write(ledger, [row("camera_lost", NOW - timedelta(hours=5), 10, "a", cause="no route to host")])
    write(ledger, [row("drift", NOW - timedelta(hours=20), 600, "b")])
    assert past_cases(find_incidents(ledger, NOW - timedelta(days=2), NOW), ledger) == []
