"""``streetloop events mute``: events that are logged and not sent."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flows.cli.context import control_of, current_user
from flows.cli.output import Json, borderless, print_json, results, say

if TYPE_CHECKING:
    from streetloop.control.alert_views import MuteView

mutes_app = typer.Typer()


@mutes_app.command()
def mute(
    context: typer.Context,
    camera: Annotated[str | None, typer.Option(metavar="ID", help="Only of this camera.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only of this kind.")] = None,
    between: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="Only in these hours of local time.")
    ] = None,
    days: Annotated[
        str | None, typer.Option(metavar="MON,TUE", help="Only on these days, such as sat,sun.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="T", help="End after this time, such as 2h or 7d.")
    ] = None,
) -> None:
    """Send no events of a camera, a kind or a time that begin from now on; they are logged."""
    from streetloop.alerting.mute import parse_mute

    control = control_of(context)
    wanted: dict[str, Any] = {
        "camera": camera,
        "kind": kind,
        "between": between,
        "days": None if days is None else days.lower().split(","),
        "until": None if duration is None else _end(duration, control.zone),
    }
    view = control.mute(parse_mute(wanted), current_user())
    say(f"mute {view.id} holds; `streetloop events unmute {view.id}` lifts it")


@mutes_app.command()
def unmute(
    context: typer.Context, number: Annotated[int, typer.Argument(metavar="ID", help="Number of the mute.")]
) -> None:
    """Lift a mute."""
    control_of(context).unmute(number)
    say(f"mute {number} is lifted")


@mutes_app.command()
def mutes(context: typer.Context, as_json: Json = False) -> None:
    """Show the mutes that are not over."""
    control = control_of(context)
    found = control.mutes()
    if as_json:
        print_json(found)
        return
    if not found:
        results().print("nothing is muted")
        return
    table = borderless("id", "camera", "kind", "hours", "days", "until", "by")
    for one in found:
        table.add_row(*_cells(one, control.zone))
    results().print(table)


def _cells(one: "MuteView", zone: Any) -> list[str]:
    until = "" if one.until is None else f"{one.until.astimezone(zone):%Y-%m-%d %H:%M}"
    cells = [one.camera or "all", one.kind or "all", one.between or "", ",".join(one.days or ()), until]
    return [str(one.id), *(escape(cell) for cell in (*cells, one.author))]


def _end(duration: str, zone: Any) -> datetime:
    """The end of a duration from now.

    Raises:
        ConfigError: It is none.
    """
    from streetloop.errors import ConfigError
    from streetloop.local_time import parse_moment

    now = datetime.now(UTC)
    before = parse_moment(duration, now, zone)
    if not duration[-1:].isalpha() or before >= now:
        raise ConfigError(f"--for: {duration[:20]!r} is no duration; write 30m, 2h or 7d")
    return now + (now - before)
