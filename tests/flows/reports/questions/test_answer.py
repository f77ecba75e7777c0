"""Questions in plain words: the forms of the docs, what they find, and that nothing is written."""

import io
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.reports.questions import answer as module
from flows.reports.questions.answer import answer_question, query_of, run_query
from flows.reports.questions.forms import FORMS, period_of
from flows.reports.questions.tables import SCHEMA, copy_tables
from flows.stream.sinks.frame_log import SCHEMA as FRAMES
from flows.stream.sinks.parquet_objects import hour_of
from streetloop.control.report_views import AnswerView
from streetloop.errors import ConfigError
from streetloop.settings import change_settings
from tests.docs.pages import DOCS
from tests.support.control_service import NOW, Content, content, empty  # noqa: F401 - fixtures

CAMERAS = ("a40", "crossing", "o'brien")
QUESTIONS = {
    "Which camera dropped the most frames today?": "frames",
    "which cameras lost most frames in the last 2 hours?": "frames",
    "how many frames were gated at a40 yesterday?": "frames",
    "Which cameras were offline yesterday?": "events",
    "how long was a40 down in the last 7 days?": "events",
    "were there outages this week?": "events",
    "what is the cause of the drift at a40?": "drift",
    "why did crossing drift?": "drift",
    "is any camera drifting today?": "drift",
    "why did rollout 1 fail?": "rollouts",
    "why was the last rollout rolled back?": "rollouts",
    "which versions were promoted?": "rollouts",
    "show the rollouts": "rollouts",
    "did any training fail?": "learning",
    "what was learned this week?": "learning",
    "how many labels are missing?": "labels",
    "how big is the review queue?": "labels",
    "when was the busiest hour yesterday?": "counts",
    "at which hour did most cars come, when is peak traffic?": "counts",
    "how many pedestrians crossed today?": "counts",
    "how many vehicles passed a40 in the last 24 hours?": "counts",
    "what happened at a40?": "events",
    "what went wrong last night?": "events",
    "were there incidents today?": "events",
    "list the errors of the last 3 days": "events",
    "which detector restarts happened this week?": "events",
    "what problems does crossing have?": "events",
}
"""What people ask, and the table that has the answer."""

HELD_OUT = {
    "which camera had the most dropped frames yesterday": "frames",
    "did we lose frames at a40 in the past hour?": "frames",
    "how many frames did crossing process today?": "frames",
    "what share of frames was gated yesterday?": "frames",
    "who lost the most frames this week?": "frames",
    "which cameras were unreachable last night?": "events",
    "was a40 offline today?": "events",
    "list all outages of the past 2 days": "events",
    "how often did cameras go down this week?": "events",
    "which camera was down for the longest time yesterday?": "events",
    "what caused the drift of crossing last week?": "drift",
    "is there drift right now?": "drift",
    "show me all drifts of the past 7 days": "drift",
    "why is a40 drifting?": "drift",
    "why did the last rollout fail?": "rollouts",
    "was any model promoted this week?": "rollouts",
    "which rollouts are there?": "rollouts",
    "what is the reason of rollout 3?": "rollouts",
    "how did the last training end?": "learning",
    "when was the model retrained?": "learning",
    "how many frames are waiting to be labeled?": "labels",
    "is the labeling queue empty?": "labels",
    "how many pictures need annotation?": "labels",
    "how many trucks passed today?": "counts",
    "what was the traffic at crossing yesterday?": "counts",
    "at what hour is the traffic highest?": "counts",
    "how many pedestrians were counted in the last 3 hours?": "counts",
    "what happened last night?": "events",
    "any problems at a40 today?": "events",
    "which errors occurred in the past day?": "events",
}
"""Questions that were written after the forms; 28 were understood at first."""


@pytest.fixture
def known(content: Content) -> Content:  # noqa: F811
    """A home with a frame log: 5 frames lost at a40, 1 at crossing."""
    for camera, lost in (("a40", 5), ("crossing", 1)):
        at = NOW - timedelta(minutes=30)
        rows: list[dict[str, Any]] = [
            {"camera_id": camera, "frame_id": k, "pts": 0.0, "captured_at": at, "fate": fate, "reason": why}
            for k, (fate, why) in enumerate([("detected", None)] * 9 + [("dropped", "stale")] * lost)
        ]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, FRAMES), sink)
        key = f"frames/run=r/camera={camera}/hour={hour_of(at)}/worker0-0-00000.parquet"
        content.store.put(key, sink.getvalue())
    content.add_counts(NOW - timedelta(minutes=30), {("in", "in", "car"): 7}, {"in": 60})
    return content


def ask(content: Content, question: str) -> AnswerView:  # noqa: F811
    return answer_question(question, content.ledger, content.store, content.settings, CAMERAS, NOW, UTC)


def test_twelve_forms_are_documented_and_each_answers_its_own_example() -> None:
    assert len(FORMS) == 12
    for form in FORMS:
        assert f"`{form.example}`" in DOCS["reports.md"]
        first = next(one for one in FORMS if one.pattern.search(form.example))
        assert first is form


@pytest.mark.parametrize(("question", "table"), QUESTIONS.items())
def test_what_people_ask_is_understood(question: str, table: str) -> None:
    said = question.casefold()
    sql = query_of(said, period_of(said, NOW, UTC), CAMERAS)
    assert sql is not None
    assert f" from {table} " in f"{sql} "
    copy = sqlite3.connect(":memory:")
    copy.executescript(SCHEMA)
    assert run_query(copy, sql).rows == []


def test_of_thirty_questions_that_the_forms_were_not_made_for_twenty_seven_are_understood() -> None:
    assert len(HELD_OUT) == 30
    understood = 0
    for question, table in HELD_OUT.items():
        sql = query_of(question, period_of(question, NOW, UTC), CAMERAS) or ""
        understood += f" from {table} " in f"{sql} "
    assert understood >= 27


def test_lost_frames_by_camera(known: Content) -> None:
    found = ask(known, "which cameras lost most frames in the last 2 hours?")
    assert (found.columns, found.rows) == (["camera", "lost"], [["a40", 5], ["crossing", 1]])
    assert "limit 200" in found.sql


def test_a_camera_that_is_named_is_the_only_one(known: Content) -> None:
    found = ask(known, "which frames were lost at crossing in the last 2 hours?")
    assert found.rows == [["crossing", 1]]


def test_the_ledger_is_asked_too(known: Content) -> None:
    assert ask(known, "how many cars crossed in the last 2 hours?").rows == [["a40", "car", 7]]
    assert ask(known, "why was rollout 1 rolled back?").rows == [[1, "2", "rolled back", "it is slower"]]
    assert ask(known, "which cameras drifted today?").rows[0][0] == "a40"
    assert [row[1] for row in ask(known, "what happened at a40 in the last 3 hours?").rows] == [
        "drift",
        "frozen picture",
    ]


def test_a_quote_in_a_name_stays_in_the_name() -> None:
    sql = query_of("what happened at o'brien?", period_of("", NOW, UTC), CAMERAS)
    assert sql is not None
    assert "camera in ('o''brien')" in sql


def test_days_begin_in_the_zone() -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    yesterday = period_of("yesterday", now, UTC)
    assert (yesterday.since, yesterday.until) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert period_of("in the last 3 hours", now, UTC).since == now - timedelta(hours=3)


@pytest.mark.parametrize(
    "sql",
    [
        "delete from events",
        "select 1; delete from events",
        "select 1) ; drop table events; --",
        "select load_extension('x')",
        "pragma table_info(events)",
        "attach 'x.db' as x",
        "select * from nothing",
    ],
)
def test_what_does_more_than_read_is_refused(known: Content, sql: str) -> None:
    copy = copy_tables(known.ledger, known.store, NOW - timedelta(days=1), NOW)
    with pytest.raises(ConfigError, match="cannot be run"):
        run_query(copy, sql)


def test_a_query_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    endless = "with recursive n(k) as (select 1 union all select k + 1 from n) select count(*) from n"
    with pytest.raises(ConfigError, match="interrupted"):
        run_query(sqlite3.connect(":memory:"), endless)


def test_rows_are_limited() -> None:
    many = "with recursive n(k) as (select 1 union all select k + 1 from n limit 5000) select k from n"
    assert len(run_query(sqlite3.connect(":memory:"), many).rows) == 200


def test_another_question_is_refused_with_examples(empty: Content) -> None:  # noqa: F811
    with pytest.raises(ConfigError, match=r"no known form; ask such as: which cameras"):
        ask(empty, "what is the meaning of life?")


@pytest.mark.parametrize(
    "written",
    ["select kind from events", "```sql\nselect kind from events;\n```", " SELECT kind FROM events "],
)
def test_with_a_language_model_any_question_is_a_query(
    known: Content, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setattr(module, "ask_model", lambda *_: written)
    settings = change_settings(known.settings, llm_url="http://127.0.0.1:9/v1")
    asked = ("what is the meaning of life?", known.ledger, known.store, settings, CAMERAS, NOW, UTC)
    assert answer_question(*asked).columns == ["kind"]


@pytest.mark.parametrize(
    "written",
    [
        "drop table events",
        "I cannot help with that.",
        "select 1; drop table events",
        "",
        "update events set kind = 'x'",
        "select writefile('x', 'y')",
        "with a as (select 1) delete from events",
    ],
)
def test_what_a_language_model_writes_can_only_read(
    known: Content, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setattr(module, "ask_model", lambda *_: written)
    settings = change_settings(known.settings, llm_url="http://127.0.0.1:9/v1")
    asked = ("what is the meaning of life?", known.ledger, known.store, settings, CAMERAS, NOW, UTC)
    with pytest.raises(ConfigError, match="cannot be run"):
        answer_question(*asked)
