"""Plays the demo: night falls on four streets, and the loop closes."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias

from flows.demo import scenario
from flows.demo.earlier import make_room
from flows.demo.ground_truth import true_curve
from flows.demo.progress import DemoProgress, run_of_story
from flows.demo.report import write_report_page
from flows.demo.result import BeforeAfterScore, DemoResult
from flows.runtime.run_values import RunOptions, RunSummary
from flows.service.control_service import REPORT_FILE
from flows.stream.analysis.status import CameraStatus
from streetloop.cameras.camera_file import Camera, load_cameras
from streetloop.city.render.shapes import CLASSES
from streetloop.host.processes import in_background
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.learning import list_learning
from streetloop.ledger.reviews import ReviewState, count_reviews
from streetloop.settings import Settings, change_settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.data.dataset import TEST, Dataset
from train.data.simulated_dataset import HELD_OUT_CAMERAS, HELD_OUT_SEEDS, Split, gather_split
from train.evaluation.metrics import class_map, evaluate
from train.first_champion import ensure_champion
from train.model.find_model import find_model, open_registry
from train.model.predictions import predict_examples

_MAX_SECONDS = {"oracle": 1500.0, "label-studio": 6 * 3600.0}  # people take their time
_FRAMES_PER_CAMERA = 10  # of each held-out camera and condition
_SEEDS = HELD_OUT_SEEDS + 700  # nothing else is judged on these seeds

# The status line counts labels already, and a machine that trains beside four cameras drops frames
# now and then. The ledger and the app have all of it.
_ROUTINE = re.compile("chosen for labeling|answers from the labeler|frame rate fell|gaps in the stream")


Show: TypeAlias = Callable[[Mapping[str, CameraStatus]], None]
Say: TypeAlias = Callable[[str], None]
RunStreams: TypeAlias = Callable[[Sequence[Camera], Settings, RunOptions, Show, Say], RunSummary]
"""Reads cameras until a run is over; see `flows.runtime.session.run_streams`."""


class Demo:
    """One play of the demo.

    Args:
        run: Reads the cameras.
        settings: Settings of the command. The demo keeps its state in the folder ``loop`` of their
            home; what an earlier demo left there is removed, see `make_room`.
        say: Called with each sentence about what happens.
        show: Called with the current state, one sentence that replaces the last.
        changes: Settings that differ from `scenario.SETTINGS`.
        wait: Called before the earlier demo is removed; whatever it raises keeps that.

    Attributes:
        report: Path of the page that `play` writes.
    """

    def __init__(
        self,
        run: RunStreams,
        settings: Settings,
        say: Callable[[str], None],
        show: Callable[[str], None],
        changes: Mapping[str, Any] = {},
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        home = settings.home / "loop"
        make_room(settings.home, home, say, wait)
        self._settings = change_settings(settings, **{**scenario.SETTINGS, **changes}, home=home)
        self._cameras = load_cameras(scenario.write_night(home)).cameras
        self._ledger, self._store = open_ledger(self._settings.ledger), open_store(self._settings)
        self._progress = DemoProgress(self._ledger, self._settings.learn_drift_labels, show)
        self._run, self._say, self._show = run, say, show
        self._moments: list[tuple[float, str]] = []
        self._statuses: Mapping[str, CameraStatus] = {}
        self._concluding: Future[DemoResult] | None = None
        self.report = home.absolute() / REPORT_FILE

    def play(self, *, app: bool, finished: Callable[[DemoResult], None] = lambda _: None) -> DemoResult:
        """Play four cameras by day, night, drift, labels, training and rollout.

        Args:
            app: Serve the app; cameras and app then continue after the result, until Ctrl-C.
            finished: Called once with the result; with ``app`` on a thread, while cameras run.

        Raises:
            StreetloopError: The streams cannot run, or the result cannot be computed.
        """
        # Drawing what the first champion must not forget takes a minute, and by day there is time.
        # If it fails, the training asks for it again and says why.
        in_background("first champion", lambda: ensure_champion(self._settings, self._note))
        options = RunOptions(
            duration_s=None if app else _MAX_SECONDS[self._settings.labeler],
            policy=scenario.POLICY,
            until=lambda: self._is_over(finished) if app else self._progress(),
            progress=self._progress.progress,
            app=app,
        )
        summary = self._run(self._cameras, self._settings, options, self._keep, self._note)
        if self._concluding is not None:
            return self._concluding.result()
        self._statuses = summary.cameras
        return self._conclude(finished)

    def _is_over(self, finished: Callable[[DemoResult], None]) -> bool:
        """False for ever, and the result is computed once the loop has closed."""
        if self._concluding is None:
            if self._progress():
                self._concluding = in_background("demo result", lambda: self._conclude(finished))
        elif self._concluding.done():
            self._concluding.result()
            self._show("the streets and the app continue; Ctrl-C ends them")
        return False

    def _conclude(self, finished: Callable[[DemoResult], None]) -> DemoResult:
        seconds, statuses = time.time() - self._progress.began, self._statuses
        self._note("measuring both models on cameras and seeds that nothing was chosen by")
        settings, ledger, store = self._settings, self._ledger, self._store
        runs = list_learning(ledger)
        versions = {"before": "1", "after": _champion(settings)}
        curve = None
        if versions["after"] != versions["before"]:
            began = self._progress.began
            curve = true_curve(settings, ledger, store, self._cameras, versions, began, seconds)
            self._progress.steps["night"] = curve.streams_at_s + scenario.NIGHT_AT_S
        result = DemoResult(
            seconds,
            self._moments,
            run_of_story(runs),
            measure(settings, versions, store),
            _labeled(ledger),
            statuses,
            versions,
            self._progress.steps,
            curve,
        )
        write_report_page(self.report, result, settings, ledger, store, self._progress.began)
        finished(result)
        return result

    def _keep(self, statuses: Mapping[str, CameraStatus]) -> None:
        self._statuses = dict(statuses)

    def _note(self, sentence: str) -> None:
        if not _ROUTINE.search(sentence):
            self._moments.append((time.time() - self._progress.began, sentence))
            self._say(sentence)


def measure(settings: Settings, versions: Mapping[str, str], store: ObjectStore) -> list[BeforeAfterScore]:
    """Score versions on held-out cameras and seeds, by day and by night."""
    scores = []
    for condition in ("day", "night"):
        split = Split(condition, HELD_OUT_CAMERAS, _SEEDS, _FRAMES_PER_CAMERA, condition)
        examples = gather_split(split, store, TEST)
        data = Dataset(tuple(CLASSES), tuple(examples), purpose="the demo's judgement")
        found, map50 = {}, {}
        for when, version in versions.items():
            model = find_model(version, settings)
            classes = class_map(model.names, data.classes)
            found[when] = predict_examples(model, examples, store, classes, settings.image_size)
            map50[when] = evaluate(data, examples, found[when]).overall.map50
        scores.append(BeforeAfterScore(condition, map50, examples, found))
    return scores


def _champion(settings: Settings) -> str:
    return str(open_registry(settings).find("champion").number)


def _labeled(ledger: Ledger) -> int:
    counts = count_reviews(ledger)
    return counts.get(ReviewState.LABELED, 0) + counts.get(ReviewState.IN_DATASET, 0)
