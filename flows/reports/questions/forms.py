"""The forms of question that are understood without a language model."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from flows.reports.questions.tables import written
from streetloop.local_time import from_local

_DAY = timedelta(days=1)
_LAST = re.compile(r"\b(?:last|past)\s+(?:(\d{1,4})\s+)?(minute|hour|day|week)s?\b")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": _DAY, "week": 7 * _DAY}


@dataclass(frozen=True, slots=True)
class Period:
    """The stretch of time that a question is about (UTC)."""

    since: datetime
    until: datetime

    def holds(self, column: str) -> str:
        """A condition: a column of times is within it."""
        return f"{column} >= '{written(self.since)}' and {column} < '{written(self.until)}'"

    def touches(self, begin: str, end: str) -> str:
        """A condition: what two columns begin and end is at least in part within it."""
        ends = f"({end} is null or {end} >= '{written(self.since)}')"
        return f"{begin} < '{written(self.until)}' and {ends}"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of question.

    Attributes:
        example: A question of this form.
        pattern: What a question of it has; searched in lower case.
        query: Makes the query from what the pattern found, the time and the camera that is named;
            the camera is a condition such as ``camera = 'a40'``, or ``1`` without one.
    """

    example: str
    pattern: re.Pattern[str]
    query: Callable[[re.Match[str], Period, str], str]


def period_of(question: str, now: datetime, zone: tzinfo) -> Period:
    """The time that a question names; the last day if it names none.

    Args:
        question: In lower case.
        now: The present (UTC).
        zone: Where days begin.
    """
    local = now.astimezone(zone)
    today = from_local(datetime(local.year, local.month, local.day), zone)
    if "yesterday" in question:
        before = (today - timedelta(hours=12)).astimezone(zone)
        return Period(from_local(datetime(before.year, before.month, before.day), zone), today)
    if "today" in question:
        return Period(today, now)
    found = _LAST.search(question)
    if found is not None:
        return Period(now - int(found[1] or 1) * _UNITS[found[2]], now)
    return Period(now - (7 * _DAY if "week" in question else _DAY), now)


def _form(example: str, pattern: str, query: Callable[[re.Match[str], Period, str], str]) -> Form:
    return Form(example, re.compile(pattern), query)


FORMS = (
    _form(
        "which cameras lost most frames yesterday?",
        r"(?:lost|lose|dropped|drop|missed|failed).*frames|frames.*(?:lost|dropped|failed)",
        lambda _, time, camera: (
            "select camera, sum(frames) as lost from frames where fate in ('dropped', 'failed')"
            f" and {time.holds('hour')} and {camera} group by camera order by lost desc, camera"
        ),
    ),
    _form(
        "how many frames were detected today?",
        r"frames.*(?:detected|gated|decoded|seen|process)|(?:detected|gated).*frames",
        lambda _, time, camera: (
            "select camera, fate, sum(frames) as frames from frames where"
            f" {time.holds('hour')} and {camera} group by camera, fate order by camera, fate"
        ),
    ),
    _form(
        "which cameras were down longest this week?",
        r"\b(?:down|offline|unreachable)\b|cameras?.*\b(?:down|away|lost|offline|unreachable|gone|outages?)\b|outages?",
        lambda _, time, camera: (
            "select camera, count(*) as outages, round(sum(minutes), 1) as minutes from events where"
            f" kind = 'camera_lost' and {time.touches('started_at', 'ended_at')} and {camera}"
            " group by camera order by minutes desc, camera"
        ),
    ),
    _form(
        "why did the cameras drift last week?",
        r"(?:why|cause|reason).*drift|drift.*(?:why|cause|reason)",
        lambda _, time, camera: (
            "select cause, count(*) as drifts, max(probability) as probability from drift where"
            f" {time.touches('since', 'until')} and {camera} group by cause order by drifts desc, cause"
        ),
    ),
    _form(
        "which cameras drifted yesterday?",
        r"drift",
        lambda _, time, camera: (
            "select camera, since, until, cause, probability from drift where"
            f" {time.touches('since', 'until')} and {camera} order by since desc"
        ),
    ),
    _form(
        "why was rollout 2 rolled back?",
        r"(?:why|reason).*rollout\s*(?:number\s*)?(\d{1,9})?",
        lambda match, _, __: (
            "select id, version, state, reason from rollouts"
            + (f" where id = {int(match[1])}" if match[1] else "")
            + " order by id desc"
        ),
    ),
    _form(
        "which rollouts were rolled back?",
        r"rollouts?|rolled back|promot",
        lambda match, _, __: (
            "select id, version, champion, state, started_at, ended_at from rollouts"
            + (" where state = 'rolled back'" if "rolled back" in match.string else "")
            + (" where state = 'promoted'" if "promoted" in match.string else "")
            + " order by id desc"
        ),
    ),
    _form(
        "how many learning runs failed?",
        r"learn|training|trained|retrain",
        lambda _, __, ___: (
            "select id, started_by, step, started_at, ended_at, reason from learning order by id desc"
        ),
    ),
    _form(
        "how many frames wait for labels?",
        r"label|review|annotat",
        lambda _, __, ___: "select state, frames from labels order by frames desc, state",
    ),
    _form(
        "what happened at a40 in the last 3 hours?",
        r"what (?:happened|went wrong|is wrong|failed)|incident|events?|faults?|problems?|errors?|restart",
        lambda _, time, camera: (
            "select id, kind, camera, started_at, ended_at, cause from events where"
            f" {time.touches('started_at', 'ended_at')} and {camera} order by started_at desc"
        ),
    ),
    _form(
        "when was the most traffic today?",
        r"(?:when|which hour|busiest hour|peak).*(?:traffic|crossing|busy|busiest|vehicle|car)|busiest hour",
        lambda _, time, camera: (
            f"select hour, sum(crossings) as crossings from counts where {time.holds('hour')} and {camera}"
            " group by hour order by crossings desc, hour"
        ),
    ),
    _form(
        "how many cars crossed the lines yesterday?",
        r"cross|traffic|count|busiest|vehicles?|\b(?:car|truck|bus|bicycle|pedestrian|person)",
        lambda _, time, camera: (
            "select camera, class, sum(crossings) as crossings from counts where"
            f" {time.holds('hour')} and {camera} group by camera, class order by crossings desc, camera"
        ),
    ),
)
"""The first that a question matches is taken."""
