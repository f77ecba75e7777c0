"""Fragments of the page. All values are escaped: a camera's name cannot inject markup."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent


@cache
def _environment(zone: tzinfo) -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["ago"] = ago
    found.filters["local"] = lambda moment: f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    return found


def read_texts(names: Iterable[str]) -> list[str]:
    """The scripts or styles of a page, to be put into it.

    Args:
        names: Of files in the folder of the app.
    """
    return [(FOLDER / name).read_text() for name in names]


def render(name: str, zone: tzinfo = UTC, **values: Any) -> str:
    """Render a template as HTML.

    Args:
        name: File name in ``templates`` without ``.html``.
        zone: The time zone of the times that it shows.
        values: Its variables; a missing one is an error.
    """
    return _environment(zone).get_template(f"{name}.html").render(**values)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago a moment was, in words.

    Args:
        moment: In UTC; None gives ``-``.
        now: The present, in UTC; None for the clock.

    >>> ago(datetime(2026, 1, 5, 11, 58, tzinfo=UTC), datetime(2026, 1, 5, 12, 1, tzinfo=UTC))
    '3 min ago'
    """
    if moment is None:
        return "-"
    seconds = max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} ago"
    return "just now"
