"""The live table in the terminal; the column ``back`` counts reconnects."""

import time
from collections.abc import Mapping

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from flows.runtime.run_values import RunSummary
from flows.stream.analysis.status import CameraStatus, Rates
from flows.stream.ingest.accounting import FATES
from flows.stream.ingest.camera_state import CameraState

_STYLES = {
    CameraState.CONNECTING: "yellow",
    CameraState.LIVE: "green",
    CameraState.LOST: "bold red",
    CameraState.ENDED: "dim",
    CameraState.FAILED: "bold red",
}


class LiveTable:
    """Renders the state, rates and frame accounts of all cameras."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._rates = Rates()
        self._began: float | None = None
        self._statuses: Mapping[str, CameraStatus] = {}

    def update(self, statuses: Mapping[str, CameraStatus]) -> None:
        """Show these statuses from now on.

        Args:
            statuses: Status by camera id.
        """
        self._statuses = statuses
        self._began = self._began or time.monotonic()
        self._rates.add(statuses, time.monotonic())

    def __rich__(self) -> RenderableType:
        if self._began is None:
            return Text(f"opening {self._model} ...", style="dim")
        seconds = int(time.monotonic() - self._began)
        table = Table(
            title=Text(f"streetloop  {self._model}  {seconds // 60:02d}:{seconds % 60:02d}", "bold"),
            header_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        table.add_column("camera", no_wrap=True)
        table.add_column("state", no_wrap=True)
        for name in ("fps in", "fps det", "lag p95", "gated", "dropped", "failed", "objects", "back"):
            table.add_column(name, justify="right", no_wrap=True)
        for camera_id, status in self._statuses.items():
            table.add_row(*self._row(camera_id, status))
        return Group(table, *_notes(self._statuses))

    def _row(self, camera_id: str, status: CameraStatus) -> list[RenderableType]:
        decoded, detected = self._rates.of(camera_id)
        account = status.account
        return [
            camera_id,
            Text(status.state.value, style=_STYLES[status.state]),
            f"{decoded:.1f}",
            f"{detected:.1f}",
            f"{status.lag_p95_s:.2f} s",
            str(account.gated),
            str(account.dropped),
            Text(str(account.failed), style="bold red" if account.failed else ""),
            str(status.objects),
            str(status.reconnects),
        ]


def _notes(statuses: Mapping[str, CameraStatus]) -> list[Text]:
    """Lines under the table: crossings and errors of each camera."""
    notes: list[Text] = []
    for camera_id, status in statuses.items():
        for line, count in status.lines.items():
            notes.append(Text(f"{camera_id}: {line}: {count.into} in, {count.out} out"))
        troubles = (status.error, status.detector_error, *(str(fault) for fault in status.faults))
        if status.waiting_for is not None:
            notes.append(Text(f"{camera_id}: {status.waiting_for}", overflow="fold"))
        for trouble in filter(None, troubles):
            notes.append(Text(f"{camera_id}: {trouble}", style="red", overflow="fold"))
    return notes


def print_summary(console: Console, summary: RunSummary) -> None:
    """Print the frame accounts of a run as a table."""
    title = Text(f"{summary.seconds:.1f} s with {summary.model['version']}", "bold")
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("camera", no_wrap=True)
    for name in (*FATES, "objects", "back"):
        table.add_column(name, justify="right", no_wrap=True)
    for camera_id, status in summary.cameras.items():
        frames = [getattr(status.account, fate) for fate in FATES]
        table.add_row(camera_id, *(str(number) for number in (*frames, status.objects, status.reconnects)))
    console.print(table)
    for note in _notes(summary.cameras):
        console.print(note, soft_wrap=True)
    log = f"detection log: {summary.log}"
    console.print(log, soft_wrap=True, highlight=False, markup=False)
