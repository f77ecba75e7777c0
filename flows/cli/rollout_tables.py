"""A rollout on the terminal: where it is, and both models side by side."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from serve.rollout.policy import Phase, Policy
from serve.rollout.report import Row, between, classes_of, tables_of
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import Rollout, list_decisions


def show_status(ledger: Ledger, rollout: Rollout) -> None:
    """Where it is, on what evidence, and what it waits for."""
    console = Console(highlight=False)
    _head(console, rollout)
    _show_evidence(console, rollout.reading)
    for wanted in rollout.reading.get("waits_for", []):
        console.print(f"  waits for {wanted}", soft_wrap=True, markup=False)
    _decisions(console, ledger, rollout)


def show_report(ledger: Ledger, rollout: Rollout) -> None:
    """Every measure of both models, and every decision."""
    console = Console(highlight=False)
    _head(console, rollout)
    tables = tables_of(rollout.reading)
    if not tables:
        console.print("  nothing is known yet")
    for group, rows in tables.items():
        console.print(_table(group, rows))
    classes = classes_of(rollout.reading)
    if classes:
        table = Table("by class", *next(iter(classes.values())))
        for name, words in classes.items():
            table.add_row(Text(name), *words.values())
        console.print(table)
    _decisions(console, ledger, rollout)


def _head(console: Console, rollout: Rollout) -> None:
    where = "" if rollout.city is None else f", city {rollout.city}"
    title = Phase(**rollout.phase).title(Policy(**rollout.policy))
    text = f": version {rollout.model} against {rollout.champion}{where}: {rollout.state}, {title}"
    console.print(Text(f"rollout {rollout.id}", "bold") + Text(text))
    verdict = rollout.reading.get("verdict")
    if verdict:
        console.print(f"  {verdict['says']}", soft_wrap=True, markup=False)


def _table(group: str, rows: Iterable[Row]) -> Table:
    table = Table(title=Text(group, "bold"), title_justify="left")
    for column in ("", "champion", "challenger", "difference", "interval"):
        table.add_column(column, justify="right" if column else "left")
    for row in rows:
        table.add_row(row.name, row.champion, row.challenger, row.between, row.interval)
    return table


def _decisions(console: Console, ledger: Ledger, rollout: Rollout) -> None:
    for entry in list_decisions(ledger, rollout.id):
        line = f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.action} ({entry.author}): {entry.reason}"
        console.print(line, soft_wrap=True, markup=False)


def _show_evidence(console: Console, reading: Mapping[str, Any]) -> None:
    gains = reading.get("gains", {})
    if gains:
        table = Table("group", "gain (F1)", "95+ % interval", "blocks")
        for group, gain in gains.items():
            ends = between(gain, "+.3f") or "? to ?"
            table.add_row(Text(group), f"{gain['mean']:+.3f}", ends, str(gain["blocks"]))
        console.print(table)
    if reading.get("latency_ratio"):
        calls, ratio = reading["calls"], reading["latency_ratio"]
        console.print(
            f"  {reading['frames']} frames, {calls['asked']} calls, {calls['failed']} failed; "
            f"computing time x{ratio['mean']:.2f}; agreement {100 * reading['agreement']:.0f} %"
        )
    breaking = reading.get("arms", {}).get("all", {}).get("broken_ratio")
    if breaking:
        console.print(f"  broken tracks x{breaking['mean']:.2f} ({between(breaking, '.2f')})")
    if reading.get("cameras"):
        served = [camera for camera, slot in reading["cameras"].items() if slot == "challenger"]
        console.print(f"  on the challenger: {', '.join(served) or 'no camera'}", soft_wrap=True)
