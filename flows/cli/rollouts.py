"""``streetloop rollout``: start, watch and steer the rollout of a new version."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.context import PolicyFile, control_of, current_user
from flows.cli.output import Json, plain, print_json, results, say, write_page

app = typer.Typer()
rollout_app = typer.Typer(no_args_is_help=True, help="Start, watch and steer the rollout of a new version.")
app.add_typer(rollout_app, name="rollout")

Runs = Annotated[int, typer.Option(min=1, max=100_000, help="Runs of each kind of candidate.")]
Hours = Annotated[float, typer.Option(min=0.1, max=240, help="Length after which a run is undecided.")]
Seed = Annotated[int, typer.Option(help="Seed; the same seed gives the same result.")]


@rollout_app.command()
def start(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="Number or alias of the challenger.")],
    city: Annotated[str | None, typer.Option(help="Restrict the rollout to the cameras of a city.")] = None,
    policy: PolicyFile = None,
    despite_verdict: Annotated[
        bool, typer.Option("--despite-verdict", help="Start even if the judge refused the version.")
    ] = False,
) -> None:
    """Start the rollout of a version beside the champion."""
    from flows.service.policy_file import read_policy

    control = control_of(context, policy=read_policy(policy), tell=say)
    rollout = control.start_rollout(version, city, current_user(), despite_verdict=despite_verdict)
    verdict = rollout.evidence.get("verdict")
    if verdict:
        say(verdict["says"])
    say(f"rollout {rollout.id} is requested; running streams take it up")


@rollout_app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the newest rollout: its phase, its evidence, and what it waits for."""
    control = control_of(context)
    if not control.rollouts(0, 1).items:
        if as_json:
            print_json(None)
        else:
            results().print("no rollout yet: `streetloop rollout start VERSION` begins one")
        return
    rollout = control.rollout()
    if as_json:
        print_json({**plain(rollout), "rollout": rollout.id})  # the old name of `id`, for one version
        return
    from flows.cli.tables.rollout_tables import show_status

    show_status(results(), rollout, control.zone)


@rollout_app.command(name="show", hidden=True)
@rollout_app.command()
def report(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Number of a rollout; default: the newest.")] = None,
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report to FILE.")] = None,
) -> None:
    """Compare both models of a rollout, and show every decision."""
    control = control_of(context)
    rollout = control.rollout(number)
    if html is not None:
        from flows.reports.rollout_html import rollout_page

        write_page(html, rollout_page(rollout, control.zone))
        say(f"report: {html.absolute()}")
    if as_json:
        print_json({**plain(rollout), "rollout": rollout.id})  # the old name of `id`, for one version
    elif html is None:
        from flows.cli.tables.rollout_tables import show_report

        show_report(results(), rollout, control.zone)


@rollout_app.command()
def pause(context: typer.Context) -> None:
    """Stay in the current phase; a harmful challenger is still rolled back."""
    _steer(context, "pause")


@rollout_app.command()
def resume(context: typer.Context) -> None:
    """Continue after a pause."""
    _steer(context, "resume")


@rollout_app.command()
def promote(context: typer.Context) -> None:
    """Make the challenger the champion now, whatever the evidence says."""
    _steer(context, "promote")


@rollout_app.command()
def rollback(context: typer.Context) -> None:
    """Roll the challenger back now."""
    _steer(context, "roll back")


def _steer(context: typer.Context, wanted: str) -> None:
    rollout = control_of(context).steer_rollout(wanted, current_user())
    say(f"rollout {rollout.id}: {wanted} is requested")


@rollout_app.command()
def simulate(
    runs: Runs = 1000, hours: Hours = 4.0, seed: Seed = 0, policy: PolicyFile = None, as_json: Json = False
) -> None:
    """Simulate how often a policy promotes harmful, equal and better candidates."""
    from flows.service.policy_file import read_policy
    from serve.rollout.policy_simulation import simulate_policy

    found = simulate_policy(read_policy(policy), runs, hours, seed=seed)
    if as_json:
        print_json(found)
        return
    from flows.cli.tables.rollout_tables import simulation_table

    results().print(simulation_table(found, runs, hours))


@rollout_app.command(hidden=True)
def rehearse(
    runs: Runs = 1000, hours: Hours = 4.0, seed: Seed = 0, policy: PolicyFile = None, as_json: Json = False
) -> None:
    """Simulate a policy, under the old name of the command."""
    say("`rollout rehearse` is now `rollout simulate`; the old name goes with the next version")
    simulate(runs, hours, seed, policy, as_json)
