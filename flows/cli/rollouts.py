"""``streetloop rollout``: start, status, pause, resume, promote, rollback, report, rehearse."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from flows.cli.rollout_tables import show_report, show_status
from flows.cli.user import current_user
from flows.reports.rollout_html import write_page
from serve.rollout.policy import Policy
from serve.rollout.policy_simulation import simulate_policy as play
from serve.rollout.request import request_rollout
from serve.rollout.rollout_record import parse_summary, read_rollout
from streetloop.errors import ConfigError
from streetloop.ledger import open_ledger
from streetloop.ledger.rollouts import RolloutCommand, list_rollouts, request_command
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
    despite_verdict: Annotated[
        bool, typer.Option("--despite-verdict", help="Even if the judge refused it.")
    ] = False,
) -> None:
    """Try a version beside the champion; running streams take it up."""
    settings = Settings()
    console = Console(stderr=True)
    rollout = request_rollout(
        settings,
        open_ledger(settings.ledger),
        version,
        read_policy(policy),
        current_user(),
        city,
        lambda text: console.print(text, highlight=False),
        despite_verdict=despite_verdict,
    )
    verdict = parse_summary(rollout).verdict
    if verdict is not None:
        console.print(verdict.says, markup=False, highlight=False)
    console.print(f"rollout {rollout.id} is asked for: running streams take it up", highlight=False)


@app.command()
def status(as_json: Json = False) -> None:
    """Where the newest rollout is, on what evidence, and what it waits for."""
    ledger = open_ledger(Settings().ledger)
    found = list_rollouts(ledger, 1)
    if not found and not as_json:
        Console().print("no rollout yet: `streetloop rollout start VERSION` begins one")
        return
    record = read_rollout(ledger) if found else None
    if as_json:
        sys.stdout.write(json.dumps(record and record.as_json(), indent=2) + "\n")
    elif record is not None:
        show_status(record)


@app.command()
def report(
    number: Annotated[int | None, typer.Argument(help="Of a rollout; the newest.")] = None,
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(help="Write a page there.")] = None,
) -> None:
    """Both models side by side, and every decision: as tables, as JSON, as a page."""
    ledger = open_ledger(Settings().ledger)
    record = read_rollout(ledger, number)
    if html is not None:
        write_page(html, record)
        Console(stderr=True).print(f"written: {html}", highlight=False, markup=False)
    if as_json:
        sys.stdout.write(json.dumps(record.as_json(), indent=2) + "\n")
    elif html is None:
        show_report(record)


@app.command()
def pause() -> None:
    """Stay in this phase; what harms still goes back."""
    _command(RolloutCommand.PAUSE)


@app.command()
def resume() -> None:
    """Go on after a pause."""
    _command(RolloutCommand.RESUME)


@app.command()
def promote() -> None:
    """Make the challenger the champion now, whatever the evidence says."""
    _command(RolloutCommand.PROMOTE)


@app.command()
def rollback() -> None:
    """Send the challenger back now."""
    _command(RolloutCommand.ROLL_BACK)


@app.command()
def simulate_policy(
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
            kind,
            *(f"{100 * ends[end]:.1f} %" for end in ("promoted", "rolled_back", "undecided")),
            "-" if took is None else f"{took:g}",
        )
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


def _command(wanted: RolloutCommand) -> None:
    rollout = request_command(open_ledger(Settings().ledger), wanted, current_user())
    Console(stderr=True).print(f"rollout {rollout.id}: {wanted} is asked for", highlight=False)
