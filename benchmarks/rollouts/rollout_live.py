"""What cameras notice of a promotion and of a rollback, on a real Ray Serve.

    python -m benchmarks.rollout_live [--json]

Eight cameras at ten frames a second each, detected by the shipped baseline at 160 pixels; the
challenger is the same model in another file and answers for all of them before it is promoted or
sent back. A gap is the time between two results of one camera. Nothing else should run.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.ray_cluster import local_ray
from serve.rollout.control.controller import RolloutController
from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.route_table import CHALLENGER, CHAMPION
from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.ledger.rollouts import (
    RolloutCommand,
    RolloutState,
    list_decisions,
    list_rollouts,
    request_command,
    start_rollout,
)
from streetloop.storage.store import FolderStore
from train.model.model_file import ModelFile

if TYPE_CHECKING:
    from benchmarks.live_street import Street

_AFTER_S = 2.0  # watched after it is over
_POLICY = Policy(steps=(0.5, 1.0), sample=0.2)
_ALL = Phase(kind=PhaseKind.CANARY, step=1)


class ModelFiles:
    """`serve.rollout.control.ports.Models` of two files."""

    def __init__(self, street: "Street") -> None:
        self._files = {"1": street.champion, "2": street.challenger}

    def find(self, name: str) -> ModelFile:
        return self._files[name]

    def set_champion(self, name: str, application: str) -> None:
        """Nobody asks who it is."""

    def clear_champion(self, application: str) -> None:
        """Nobody asks who it is."""


class Bench:
    """One street, on which one rollout follows the other."""

    def __init__(self, street: "Street", home: Path, rest_s: float) -> None:
        import ray.serve

        from benchmarks.live_street import wait_for
        from serve.detector.applications import ServeApplications

        self._street, self._rest_s, self._wait_for = street, rest_s, wait_for
        self._ledger = open_ledger(f"sqlite:///{home / 'ledger.db'}")
        self._applications = ServeApplications(street.settings)
        self._application_states: Callable[[], Any] = lambda: ray.serve.status().applications
        self._control = RolloutController(
            self._ledger,
            street,
            self._applications,
            ModelFiles(street),
            FolderStore(home / "store"),
            street.champion.names,
            lambda: street.cameras,
            SystemClock(),
            lambda _: None,
        )
        self._control.start()

    def play(self, wanted: RolloutCommand) -> dict[str, float]:
        """Bring a challenger up for all cameras, want something of it, and watch."""
        street, ledger = self._street, self._ledger
        plain = _POLICY.model_dump(mode="json"), _ALL.model_dump(mode="json")
        fresh = street.counts()
        start_rollout(ledger, "2", "1", None, *plain, "benchmark", SystemClock().now())
        self._wait_for(lambda: street.is_served_by(street.challenger), "the challenger serves")
        loading = _lost(fresh, street.counts())
        rest, before = street.gap_at_rest(self._rest_s), street.counts()
        asked = time.time()
        request_command(ledger, wanted, "benchmark")
        state = RolloutState.PROMOTED if wanted is RolloutCommand.PROMOTE else RolloutState.ROLLED_BACK
        self._wait_for(lambda: list_rollouts(ledger, 1)[0].state is state, str(state))
        entries = list_decisions(ledger, list_rollouts(ledger, 1)[0].id)
        decided = next(e.at.timestamp() for e in entries if e.action == wanted)
        ended = entries[-1].at.timestamp() + _AFTER_S
        street.wait_past(ended)
        lost = _lost(before, street.counts())
        gap = street.stamps.longest_gap(decided, ended)
        effect = max(
            [
                at
                for found in street.stamps.between(decided, ended).values()
                for at, version in found
                if version == street.challenger.version
            ]
            or [decided]
        )
        self._reset(wanted)
        return {
            "rest_s": rest,
            "gap_s": gap,
            "asked_to_decided_s": decided - asked,
            "decided_to_effect_s": effect - decided,
            **lost,
            "loading": loading["decoded"],
            "lost_loading": loading["lost"],
        }

    def _reset(self, wanted: RolloutCommand) -> None:
        self._wait_for(lambda: CHALLENGER not in self._application_states(), "the challenger's end")
        if wanted is RolloutCommand.PROMOTE:
            self._applications.load(CHAMPION, self._street.champion)
        self._wait_for(lambda: self._street.is_served_by(self._street.champion), "the champion serves")

    def close(self) -> None:
        self._control.close()
        self._ledger.close()


def measure(home: Path, cameras: int, fps: float, rounds: int, rest_s: float) -> dict[str, Any]:
    """All figures, in seconds where their names do not say otherwise."""
    say = Console(stderr=True).print
    with local_ray():
        import ray.serve  # after the settings of Ray, which it reads when it is imported

        from benchmarks.live_street import Street

        ray.serve.start(proxy_location="Disabled")
        street = Street(home, cameras, fps)
        street.gap_at_rest(3.0)  # the first batches are the slowest
        before, lookups = street.counts(), len(street.lookups)
        rest = street.gap_at_rest(3 * rest_s)
        lost_at_rest, looked = _lost(before, street.counts()), street.lookups[lookups:]
        bench = Bench(street, home, rest_s)
        played: dict[str, list[dict[str, float]]] = {"promotion": [], "rollback": []}
        for number in range(rounds):
            for name, wanted in (
                ("promotion", RolloutCommand.PROMOTE),
                ("rollback", RolloutCommand.ROLL_BACK),
            ):
                played[name].append(bench.play(wanted))
                say(f"{name} {number + 1} of {rounds}", highlight=False)
        bench.close()
        whole = street.counts()
        street.close()
    batches = sum(sent for _, sent in looked)
    return {
        "cameras": cameras,
        "fps": fps,
        "rounds": rounds,
        "rest_gap_s": rest,
        "lost_at_rest": lost_at_rest,
        "routing_ms_a_batch": 1000 * sum(took for took, _ in looked) / max(batches, 1),
        "lookups_a_batch": sum(not sent for _, sent in looked) / max(batches, 1),
        **{name: _summary(found, fps) for name, found in played.items()},
        "account": whole,
    }


def _lost(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    gained = {fate: after[fate] - before[fate] for fate in after}
    return {"decoded": gained["decoded"], "lost": gained["dropped"] + gained["failed"]}


def _summary(found: list[dict[str, float]], fps: float) -> dict[str, Any]:
    beyond = [(one["gap_s"] - one["rest_s"]) * fps for one in found]
    effects = [one["decided_to_effect_s"] for one in found]
    return {
        "rest_gap_s": max(one["rest_s"] for one in found),
        "gap_s": max(one["gap_s"] for one in found),
        "periods_beyond_rest_median": statistics.median(beyond),
        "periods_beyond_rest_worst": max(beyond),
        "asked_to_decided_s_median": statistics.median(o["asked_to_decided_s"] for o in found),
        "decided_to_effect_s_median": statistics.median(effects),
        "decided_to_effect_s_worst": max(effects),
        "frames": sum(one["decoded"] for one in found),
        "lost": sum(one["lost"] for one in found),
        "frames_loading": sum(one["loading"] for one in found),
        "lost_loading": sum(one["lost_loading"] for one in found),
    }


def _print(found: dict[str, Any]) -> None:
    table = Table("what", "at rest", "promotion", "rollback")
    ways = [found["promotion"], found["rollback"]]

    def row(name: str, rest: str, key: str, form: str, unit: str = "") -> None:
        table.add_row(name, rest, *(f"{way[key]:{form}}{unit}" for way in ways))

    row("longest gap", f"{found['rest_gap_s']:.3f} s", "gap_s", ".3f", " s")
    row("... with the challenger at rest", "", "rest_gap_s", ".3f", " s")
    row("frame periods beyond rest, median", "", "periods_beyond_rest_median", "+.2f")
    row("frame periods beyond rest, worst", "", "periods_beyond_rest_worst", "+.2f")
    row("from decision to last other answer, median", "", "decided_to_effect_s_median", ".3f", " s")
    row("from decision to last other answer, worst", "", "decided_to_effect_s_worst", ".3f", " s")
    row("from command to decision, median", "", "asked_to_decided_s_median", ".3f", " s")
    row("frames decoded", str(found["lost_at_rest"]["decoded"]), "frames", ".0f")
    row("frames lost", str(found["lost_at_rest"]["lost"]), "lost", ".0f")
    row("frames decoded while the challenger starts", "", "frames_loading", ".0f")
    row("frames lost while the challenger starts", "", "lost_loading", ".0f")
    console = Console()
    console.print(table)
    console.print(
        f"routing {found['routing_ms_a_batch']:.4f} ms a batch "
        f"({found['lookups_a_batch']:.1f} lookups); all frames: {found['account']}"
    )


def main() -> None:
    """Run the benchmark."""
    parser = new_parser(__doc__)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5, help="of each, promotion and rollback")
    parser.add_argument("--rest", type=float, default=5.0, help="seconds at rest before each")
    options = parse_options(parser)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.cameras, options.fps, options.rounds, options.rest)
    _print(found)
    finish(options, found)


if __name__ == "__main__":
    main()
