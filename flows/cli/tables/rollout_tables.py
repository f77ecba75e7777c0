"""A rollout on the terminal: where it is, and both models side by side."""

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from serve.rollout.rollout_report import Row, classes_of, interval_in_words, percent, signed, tables_of
from serve.rollout.rollout_summary import RolloutSummary
from serve.rollout.route_table import CHALLENGER
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.control.views import RolloutView


def show_status(console: Console, rollout: RolloutView, zone: tzinfo = UTC) -> None:
    """Print the phase, the evidence, what the rollout waits for, and the decisions."""
    summary = RolloutSummary.from_json(rollout.evidence)
    _print_head(console, rollout, summary)
    _print_gains(console, summary)
    _print_serving(console, summary)
    for condition in summary.waits_for:
        console.print(f"  waiting for {condition}", soft_wrap=True, markup=False)
    _print_decisions(console, rollout, zone)


def show_report(console: Console, rollout: RolloutView, zone: tzinfo = UTC) -> None:
    """Print every measure of both models, and every decision."""
    summary = RolloutSummary.from_json(rollout.evidence)
    _print_head(console, rollout, summary)
    tables = tables_of(summary)
    if not tables:
        console.print("  nothing is measured yet")
    for group, rows in tables.items():
        console.print(_table(group, rows))
    classes = classes_of(summary)
    if classes:
        table = Table("by class", *next(iter(classes.values())))
        for name, words in classes.items():
            table.add_row(Text(name), *words.values())
        console.print(table)
    _print_decisions(console, rollout, zone)


def simulation_table(found: Mapping[str, Any], runs: int, hours: float) -> Table:
    """The outcomes of a policy simulation, by kind of candidate.

    Args:
        found: What `serve.rollout.policy_simulation.simulate_policy` returned.
        runs: Runs of each kind.
        hours: Length after which a run was undecided.
    """
    table = Table(title=f"{runs} runs of each candidate, {hours:g} hours at most")
    for column in ("candidate", "promoted", "rolled back", "undecided", "minutes to promotion"):
        table.add_column(column, justify="left" if column == "candidate" else "right")
    for kind in ("harmful", "equal", "better"):
        ends = found[kind]
        minutes = ends["minutes_until_promoted"]
        shares = (f"{100 * ends[end]:.1f} %" for end in ("promoted", "rolled_back", "undecided"))
        table.add_row(kind, *shares, "-" if minutes is None else f"{minutes:g}")
    return table


def _print_head(console: Console, rollout: RolloutView, summary: RolloutSummary) -> None:
    where = "" if rollout.city is None else f", city {rollout.city}"
    text = f": version {rollout.model} against {rollout.champion}{where}: {rollout.state}, {rollout.phase}"
    console.print(Text(f"rollout {rollout.id}", "bold") + Text(text))
    if summary.verdict is not None:
        console.print(f"  {summary.verdict.says}", soft_wrap=True, markup=False)


def _table(group: str, rows: Iterable[Row]) -> Table:
    table = Table(title=Text(group, "bold"), title_justify="left")
    for column in ("", "champion", "challenger", "difference", "interval"):
        table.add_column(column, justify="right" if column else "left")
    for row in rows:
        table.add_row(row.name, row.champion, row.challenger, row.difference, row.interval)
    return table


def _print_decisions(console: Console, rollout: RolloutView, zone: tzinfo) -> None:
    for entry in rollout.decisions:
        at = entry.at.astimezone(zone)
        line = f"  {at:%Y-%m-%d %H:%M:%S}  {entry.action} ({entry.author}): {entry.reason}"
        console.print(line, soft_wrap=True, markup=False)


def _print_gains(console: Console, summary: RolloutSummary) -> None:
    if not summary.gains:
        return
    table = Table("group", "gain (F1)", "interval", "blocks")
    for group, gain in summary.gains.items():
        interval = interval_in_words(gain, "+.3f") or "? to ?"
        table.add_row(Text(group), signed(gain.mean), interval, str(gain.blocks))
    console.print(table)


def _print_serving(console: Console, summary: RolloutSummary) -> None:
    if summary.calls is not None and summary.latency_ratio is not None:
        console.print(
            f"  {summary.frames} frames, {summary.calls.asked} calls, {summary.calls.failed} failed; "
            f"computing time x{summary.latency_ratio.mean:.2f}; agreement {percent(summary.agreement)}"
        )
    served = summary.served.get(EVERYTHING)
    ratio = None if served is None else served.broken_ratio
    if ratio is not None:
        console.print(f"  broken tracks x{ratio.mean:.2f} ({interval_in_words(ratio, '.2f')})")
    if summary.cameras:
        led = [camera for camera, application in summary.cameras.items() if application == CHALLENGER]
        console.print(f"  on the challenger: {', '.join(led) or 'no camera'}", soft_wrap=True)
