"""``streetloop rollout``: start, status, pause, resume, promote, rollback, report, rehearse."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from flows.person import me
from flows.rollout_request import ask_for
from serve.rollout.policy import Phase, Policy
from serve.rollout.rehearse import rehearse as play
from streetloop.errors import ConfigError, RolloutError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.rollouts import (
    Rollout,
    Wish,
    list_decisions,
    list_rollouts,
    wish,
)
from streetloop.settings import Settings

app = typer.Typer(no_args_is_help=True, help="How a new model takes over.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and only that.")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="YAML of what to change in the usual policy.")
]

_MOST_BYTES = 64 * 2**10


@app.command()
def start(
    version: Annotated[str, typer.Argument(help="A version of the registry, or an alias.")],
    city: Annotated[str | None, typer.Option(help="Only the cameras of this city.")] = None,
    policy: PolicyFile = None,
) -> None:
    """Try a version beside the champion; running streams take it up."""
    settings = Settings()
    console = Console(stderr=True)
    rollout = ask_for(
        settings, open_ledger(settings.ledger), version, read_policy(policy), me(), city,
        lambda text: console.print(text, highlight=False),
    )  # fmt: skip
    console.print(f"rollout {rollout.id} is asked for: running streams take it up", highlight=False)


@app.command()
def status(as_json: Json = False) -> None:
    """Where the newest rollout is, on what evidence, and what it waits for."""
    ledger = open_ledger(Settings().ledger)
    found = list_rollouts(ledger, 1)
    if as_json:
        plain = [report_of(ledger, rollout) for rollout in found]
        sys.stdout.write(json.dumps(plain[0] if plain else None, indent=2) + "\n")
    elif not found:
        Console().print("no rollout yet: `streetloop rollout start VERSION` begins one")
    else:
        _show(ledger, found[0])


@app.command()
def report(number: Annotated[int, typer.Argument(help="Of a rollout.")]) -> None:
    """A rollout with all its decisions and their evidence, as JSON."""
    ledger = open_ledger(Settings().ledger)
    for rollout in list_rollouts(ledger, 10_000):
        if rollout.id == number:
            sys.stdout.write(json.dumps(report_of(ledger, rollout), indent=2) + "\n")
            return
    raise RolloutError(f"there is no rollout {number}")


@app.command()
def pause() -> None:
    """Stay in this phase; what harms still goes back."""
    _wish(Wish.PAUSE)


@app.command()
def resume() -> None:
    """Go on after a pause."""
    _wish(Wish.RESUME)


@app.command()
def promote() -> None:
    """Make the challenger the champion now, whatever the evidence says."""
    _wish(Wish.PROMOTE)


@app.command()
def rollback() -> None:
    """Send the challenger back now."""
    _wish(Wish.ROLL_BACK)


@app.command()
def rehearse(
    runs: Annotated[int, typer.Option(min=1, max=100_000, help="Of each kind.")] = 1000,
    hours: Annotated[float, typer.Option(min=0.1, max=240, help="Then it is undecided.")] = 4.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same answer.")] = 0,
    policy: PolicyFile = None,
    as_json: Json = False,
) -> None:
    """Play a policy against modelled candidates: how often does each end promoted?"""
    found = play(read_policy(policy), runs, hours, seed=seed)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    table = Table(title=f"{runs} runs of each candidate, {hours:g} hours at most")
    for column in ("candidate", "promoted", "rolled back", "undecided", "minutes to promotion"):
        table.add_column(column, justify="left" if column == "candidate" else "right")
    for kind in ("harmful", "equal", "better"):
        ends = found[kind]
        took = ends["minutes_until_promoted"]
        table.add_row(
            kind, *(f"{100 * ends[end]:.1f} %" for end in ("promoted", "rolled_back", "undecided")),
            "-" if took is None else f"{took:g}",
        )  # fmt: skip
    Console().print(table)


def read_policy(file: Path | None) -> Policy:
    """The usual policy with what a file changes.

    Raises:
        ConfigError: The file cannot be read, or is no policy.
    """
    if file is None:
        return Policy()
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{file}: larger than {_MOST_BYTES // 1024} KB")
        plain = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Policy(**({} if plain is None else plain))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{file}: {name}: {first['msg']}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{file}: is no policy: a YAML mapping is wanted") from error


def report_of(ledger: Ledger, rollout: Rollout) -> dict[str, Any]:
    """A rollout with its decisions, as plain values."""
    return {
        "rollout": rollout.id,
        "state": str(rollout.state),
        "phase": Phase(**rollout.phase).title(Policy(**rollout.policy)),
        "model": rollout.model,
        "champion": rollout.champion,
        "city": rollout.city,
        "author": rollout.author,
        "started_at": rollout.started_at.isoformat(),
        "updated_at": rollout.updated_at.isoformat(),
        "ended_at": rollout.ended_at and rollout.ended_at.isoformat(),
        "policy": dict(rollout.policy),
        "evidence": dict(rollout.reading),
        "decisions": [
            {"at": entry.at.isoformat(), "action": entry.action, "author": entry.author,
             "reason": entry.reason, "evidence": dict(entry.reading)}
            for entry in list_decisions(ledger, rollout.id)
        ],
    }  # fmt: skip


def _show(ledger: Ledger, rollout: Rollout) -> None:
    console = Console(highlight=False)
    where = "" if rollout.city is None else f", city {rollout.city}"
    title = Phase(**rollout.phase).title(Policy(**rollout.policy))
    console.print(
        f"[bold]rollout {rollout.id}[/]: version {rollout.model} against {rollout.champion}"
        f"{where}: {rollout.state}, {title}"
    )
    _show_evidence(console, rollout.reading)
    for wanted in rollout.reading.get("waits_for", []):
        console.print(f"  waits for {wanted}", soft_wrap=True, markup=False)
    for entry in list_decisions(ledger, rollout.id):
        line = f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.action} ({entry.author}): {entry.reason}"
        console.print(line, soft_wrap=True, markup=False)


def _show_evidence(console: Console, reading: Mapping[str, Any]) -> None:
    gains = reading.get("gains", {})
    if gains:
        table = Table("group", "gain (F1)", "95+ % interval", "blocks")
        for group, gain in gains.items():
            ends = ["?" if gain[end] is None else f"{gain[end]:+.3f}" for end in ("low", "high")]
            table.add_row(group, f"{gain['mean']:+.3f}", " to ".join(ends), str(gain["blocks"]))
        console.print(table)
    if reading.get("latency_ratio"):
        calls, ratio = reading["calls"], reading["latency_ratio"]
        console.print(
            f"  {reading['frames']} frames, {calls['asked']} calls, {calls['failed']} failed; "
            f"computing time x{ratio['mean']:.2f}; agreement {100 * reading['agreement']:.0f} %"
        )
    if reading.get("cameras"):
        served = [camera for camera, slot in reading["cameras"].items() if slot == "challenger"]
        console.print(f"  on the challenger: {', '.join(served) or 'no camera'}")


def _wish(wanted: Wish) -> None:
    rollout = wish(open_ledger(Settings().ledger), wanted, me())
    Console(stderr=True).print(f"rollout {rollout.id}: {wanted} is asked for", highlight=False)
