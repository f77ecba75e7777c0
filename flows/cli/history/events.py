"""``streetloop events``: what happened, and what goes on."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flows.cli.context import control_of, current_user
from flows.cli.history.mutes import mutes_app
from flows.cli.output import Json, borderless, plain, print_json, results, say

if TYPE_CHECKING:
    from streetloop.control.views import EventView

app = typer.Typer()
events_app = typer.Typer()
app.add_typer(events_app, name="events")
events_app.add_typer(mutes_app)

_PAGE = 200
_FOLLOW_S = 1.0


@events_app.callback(invoke_without_command=True)
def events(
    context: typer.Context,
    camera: Annotated[str | None, typer.Option(metavar="ID", help="Show only this camera.")] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Show only this kind, such as camera_lost.")
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="T", help="A date, a time, or a duration before now, such as 2h or 7d.")
    ] = "1d",
    only_open: Annotated[bool, typer.Option("--open", help="Show only what goes on.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with what begins and ends, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show what happened to cameras, processes and models, the oldest first."""
    if context.invoked_subcommand is not None:
        return
    control = control_of(context)

    def read() -> "list[EventView]":
        return list(reversed(list(_pages(control, camera, kind, since, only_open))))

    found = read()
    if as_json:
        _print_lines(found)
    else:
        _print_table(found, control.zone, follow=follow)
    while follow:
        time.sleep(_FOLLOW_S)
        before, found = {one.id: one for one in found}, read()
        news = [one for one in found if before.get(one.id) != one]
        if as_json:
            _print_lines(news)
        else:
            for one in news:
                results().print(_sentence(one, control.zone), soft_wrap=True, markup=False)


@events_app.command()
def acknowledge(
    context: typer.Context, event: Annotated[int, typer.Argument(metavar="ID", help="Number of the event.")]
) -> None:
    """Note that you took note of an event."""
    view = control_of(context).acknowledge(event, current_user())
    say(f"event {view.id} is acknowledged by {view.acknowledged_by}")


@events_app.command()
def comment(
    context: typer.Context,
    event: Annotated[int, typer.Argument(metavar="ID", help="Number of the event.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Up to 1000 characters; '' removes it.")],
) -> None:
    """Write a comment on an event, in the place of the one before."""
    view = control_of(context).comment_event(event, text, current_user())
    say(f"event {view.id} has {'no' if view.comment is None else 'your'} comment")


@events_app.command(name="mark-false")
def mark_false(
    context: typer.Context,
    event: Annotated[int, typer.Argument(metavar="ID", help="Number of the event.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Note that an event did not happen; the precision of its rule counts it."""
    view = control_of(context).mark_false(event, current_user(), is_false=not undo)
    say(f"event {view.id} is {'not marked' if view.false_at is None else 'marked'} as false")


@events_app.command()
def precision(context: typer.Context, as_json: Json = False) -> None:
    """Show how often each rule was right, as far as events were acknowledged or marked as false."""
    found = control_of(context).event_precision()
    if as_json:
        print_json(found)
        return
    table = borderless("kind", "camera", "rule", numbers=("events", "confirmed", "false", "precision"))
    for one in found:
        share = "-" if one.precision is None else f"{one.precision:.0%}"
        counts = (str(one.events), str(one.confirmed), str(one.false))
        table.add_row(one.kind, escape(one.camera_id or ""), one.rule_version, *counts, share)
    results().print(table if found else "no rule has found anything")


def _pages(
    control: Any, camera: str | None, kind: str | None, since: str, only_open: bool
) -> "Iterator[EventView]":
    offset, more = 0, True
    while more:
        page = control.events(camera, kind, only_open=only_open, offset=offset, limit=_PAGE, since=since)
        yield from page.items
        offset, more = offset + _PAGE, page.more


def _print_lines(found: "list[EventView]") -> None:
    import json
    import sys

    for one in found:
        sys.stdout.write(json.dumps(plain(one)) + "\n")
    sys.stdout.flush()


def _print_table(found: "list[EventView]", zone: Any, *, follow: bool) -> None:
    if not found and not follow:
        results().print("nothing happened in this time")
        return
    if not found:
        return
    table = borderless("id", "since", "until", "kind", "camera", "cause")
    for column in table.columns[:4]:
        column.no_wrap = True
    for one in found:
        until = "goes on" if one.ended_at is None else f"{one.ended_at.astimezone(zone):%H:%M:%S}"
        since = f"{one.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        table.add_row(str(one.id), since, until, one.kind, escape(one.camera_id or ""), escape(_cause(one)))
    results().print(table)


def _sentence(one: "EventView", zone: Any) -> str:
    """An event that has begun or ended, as one line."""
    at = one.ended_at or one.started_at
    what = one.kind if one.ended_at is None else f"{one.kind} is over"
    where = f" {one.camera_id}:" if one.camera_id else ""
    return f"{at.astimezone(zone):%H:%M:%S}{where} {what} {_cause(one)}".rstrip()


def _cause(one: "EventView") -> str:
    causes = one.detail.get("causes", [])
    return one.cause or ", ".join(str(cause) for cause in causes)
