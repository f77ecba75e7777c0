"""Answers a question by a query that can read, and nothing else."""

import sqlite3
import threading
from collections.abc import Collection
from contextlib import closing
from datetime import datetime, tzinfo

from flows.reports.incidents.language_model import ask_model
from flows.reports.incidents.local_model import LOCAL
from flows.reports.questions.forms import FORMS, Period, period_of
from flows.reports.questions.tables import SCHEMA, copy_tables
from streetloop.control.report_views import AnswerView
from streetloop.errors import ConfigError
from streetloop.ledger import Ledger
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore

_LIMIT, _SECONDS = 200, 5.0
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_SYSTEM = (
    "Answer with one SQLite SELECT statement that answers the question, and nothing else. "
    "Times are UTC text. "
    "The tables:\n"
)


def answer_question(
    question: str,
    ledger: Ledger,
    store: ObjectStore,
    settings: Settings,
    cameras: Collection[str],
    now: datetime,
    zone: tzinfo,
) -> AnswerView:
    """The query that answers a question, and what it found.

    Args:
        question: In plain words.
        ledger: Of which a copy is asked.
        store: Holds the frame log.
        settings: May name a language model, which answers what is of no known form.
        cameras: Ids that a question may name, beside those to which something happened.
        now: The present (UTC).
        zone: Where days begin.

    Raises:
        ConfigError: The question is of no known form and no language model is set, or the query
            that one wrote cannot be run.
        LanguageModelError: The language model did not answer.
    """
    said = question.casefold()
    period = period_of(said, now, zone)
    with closing(copy_tables(ledger, store, period.since, period.until)) as copy:
        sql = query_of(said, period, {*cameras, *_cameras_in(copy)})
        return run_query(copy, sql or _by_model(question, settings, now))


def query_of(question: str, period: Period, cameras: Collection[str]) -> str | None:
    """The query of the first form that a question matches; None if it matches none.

    Args:
        question: In lower case.
        period: What it is about.
        cameras: Ids that it may name.
    """
    words = set(question.replace("?", " ").replace(",", " ").split())
    named = sorted(name for name in cameras if name.casefold() in words)
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in named)
    camera = f"camera in ({quoted})" if named else "1"
    for form in FORMS:
        match = form.pattern.search(question)
        if match is not None:
            return form.query(match, period, camera)
    return None


def run_query(copy: sqlite3.Connection, sql: str) -> AnswerView:
    """Run a query for five seconds at most, and give 200 rows of it at most.

    Raises:
        ConfigError: It is no single query that only reads, or takes longer.
    """
    limited = f"select * from ({sql.strip().rstrip(';')}) limit {_LIMIT}"
    copy.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY)
    timer = threading.Timer(_SECONDS, copy.interrupt)
    timer.start()
    try:
        cursor = copy.execute(limited)
        rows = [list(row) for row in cursor]
        columns = [column[0] for column in cursor.description]
    except sqlite3.Error as error:
        raise ConfigError(f"the query cannot be run: {error}; it was: {limited}") from error
    finally:
        timer.cancel()
    return AnswerView(sql=limited, columns=columns, rows=rows)


def _cameras_in(copy: sqlite3.Connection) -> list[str]:
    tables = ("frames", "events", "drift", "counts")
    query = " union ".join(f"select camera from {table} where camera is not null" for table in tables)
    return [str(name) for (name,) in copy.execute(query)]


def _by_model(question: str, settings: Settings, now: datetime) -> str:
    if settings.llm_url in {None, LOCAL}:  # a model so small writes no queries
        examples = "; ".join(form.example for form in FORMS[:3])
        raise ConfigError(
            f"this question is of no known form; ask such as: {examples} (docs/reports.md has all), or set "
            "STREETLOOP_LLM_URL to an endpoint"
        )
    text = ask_model(settings, f"{_SYSTEM}{SCHEMA}It is {now:%Y-%m-%d %H:%M:%S}.", question)
    return text.strip().removeprefix("```sql").removeprefix("```").removesuffix("```").strip()
