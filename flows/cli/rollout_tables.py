"""A rollout on the terminal: where it is, and both models side by side."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from serve.rollout.rollout_record import RolloutRecord
from serve.rollout.rollout_report import Row, classes_of, interval_in_words, percent, signed, tables_of
from serve.rollout.rollout_summary import RolloutSummary
from serve.rollout.route_table import CHALLENGER
from serve.rollout.statistics.evidence import EVERYTHING


def show_status(record: RolloutRecord) -> None:
    """Print the phase, the evidence, what the rollout waits for, and the decisions."""
    console = Console(highlight=False)
    _print_head(console, record)
    _print_gains(console, record.summary)
    _print_serving(console, record.summary)
    for condition in record.summary.waits_for:
        console.print(f"  waiting for {condition}", soft_wrap=True, markup=False)
    _print_decisions(console, record)


def show_report(record: RolloutRecord) -> None:
    """Print every measure of both models, and every decision."""
    console = Console(highlight=False)
    _print_head(console, record)
    tables = tables_of(record.summary)
    if not tables:
        console.print("  nothing is measured yet")
    for group, rows in tables.items():
        console.print(_table(group, rows))
    classes = classes_of(record.summary)
    if classes:
        table = Table("by class", *next(iter(classes.values())))
        for name, words in classes.items():
            table.add_row(Text(name), *words.values())
        console.print(table)
    _print_decisions(console, record)


def _print_head(console: Console, record: RolloutRecord) -> None:
    row = record.row
    where = "" if row.city is None else f", city {row.city}"
    text = f": version {row.model} against {row.champion}{where}: {row.state}, {record.phase_title}"
    console.print(Text(f"rollout {row.id}", "bold") + Text(text))
    if record.summary.verdict is not None:
        console.print(f"  {record.summary.verdict.says}", soft_wrap=True, markup=False)


def _table(group: str, rows: Iterable[Row]) -> Table:
    table = Table(title=Text(group, "bold"), title_justify="left")
    for column in ("", "champion", "challenger", "difference", "interval"):
        table.add_column(column, justify="right" if column else "left")
    for row in rows:
        table.add_row(row.name, row.champion, row.challenger, row.difference, row.interval)
    return table


def _print_decisions(console: Console, record: RolloutRecord) -> None:
    for entry in record.decisions:
        line = f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.action} ({entry.author}): {entry.reason}"
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
