"""`streetloop.control.port.Control` over ledger, registry and store, for commands, API and app."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from drift.monitor import end_all
from flows.learning.lineage import lineage
from flows.reports.drift_html import report_page
from flows.reports.drift_status import DriftStatus, drift_state
from flows.service.health import health_of
from flows.service.label_exchange import LabelExchange
from flows.service.lazily import Lazily
from flows.service.line_counts import line_counts
from flows.service.views import (
    camera_view,
    drift_view,
    event_view,
    learning_view,
    lineage_view,
    model_view,
    review_view,
    rollout_view,
)
from flows.stream.sources.registry import refuse_bad_source
from labeling.local_server.server import LocalServer
from serve.rollout.control.request import request_rollout
from serve.rollout.policy import Policy
from streetloop.camera_set import merged
from streetloop.cameras import Camera, camera_document, parse_camera
from streetloop.clock import SystemClock
from streetloop.control.label_views import (
    ExchangeView,
    LabelProblemView,
    LabelReportView,
    QueueView,
    ReviewView,
)
from streetloop.control.views import (
    CameraView,
    CountView,
    DriftView,
    EventView,
    HealthView,
    LearningView,
    LineageView,
    ModelView,
    Page,
    RolloutView,
)
from streetloop.errors import ConfigError, LearningError, NotFound
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import change_camera, newest_changes
from streetloop.ledger.events import acknowledge_event, find_event, list_events
from streetloop.ledger.learning import Step, begin_learning, go_on, list_learning, open_learning
from streetloop.ledger.reviews import ReviewState, count_doubted, count_reviews, find_reviews, newest_reviews
from streetloop.ledger.rollouts import RolloutCommand, list_decisions, list_rollouts, request_command
from streetloop.local_time import parse_moment
from streetloop.secrets import redact
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.model.find_model import has_registry, open_registry

REPORT_FILE = "report.html"
"""The illustrated report of a run, in its home; ``GET /report`` serves it."""

_PATIENCE_S = 4.0  # of a write that somebody waits for
_DRIFT_KEPT_S = 20.0
_MAX_ROLLOUTS = 10_000

T = TypeVar("T")
V = TypeVar("V")


class ControlService:
    """Everything that people may see and do, over the state in a home.

    It is cheap to make: ledger and store are opened at the first call that needs them.

    Args:
        settings: Where state is kept, which model serves and who labels.
        file: Cameras of the camera file.
        policy: Of rollouts that are started here.
        live: The cameras that run, as they are now; none while no stream runs.
        tell: Called with a sentence when something takes long, or cannot be read.
        default_model: The model of the settings without flags and camera file; None if unknown.
    """

    def __init__(
        self,
        settings: Settings,
        file: Sequence[Camera] = (),
        policy: Policy | None = None,
        live: Callable[[], Sequence[CameraView]] = tuple,
        tell: Callable[[str], None] = lambda _: None,
        default_model: str | None = None,
    ) -> None:
        self._settings, self._file, self._live, self._tell = settings, file, live, tell
        self._policy, self._default_model = policy or Policy(), default_model
        self._open_ledger = Lazily(lambda: open_ledger(settings.ledger, _PATIENCE_S))
        self._open_store = Lazily(lambda: open_store(settings))
        self._drift: dict[str | None, tuple[float, dict[str, DriftStatus]]] = {}
        self._computing_drift, self._changing_camera = threading.Lock(), threading.Lock()

    @property
    def zone(self) -> tzinfo:
        """See `Control.zone`."""
        return self._settings.zone

    @property
    def _ledger(self) -> Ledger:
        return self._open_ledger()

    @property
    def _store(self) -> ObjectStore:
        return self._open_store()

    # Cameras

    def cameras(self) -> list[CameraView]:
        """See `Control.cameras`."""
        running = {view.id: view for view in self._live()}
        return [running.get(c.id) or camera_view(c) for c in self._cameras()]

    def camera(self, camera_id: str) -> CameraView:
        """See `Control.camera`."""
        for view in self.cameras():
            if view.id == camera_id:
                return view
        raise NotFound(f"there is no camera {camera_id[:64]!r}")

    def put_camera(self, document: Mapping[str, Any], author: str, *, new: bool) -> CameraView:
        """See `Control.put_camera`."""
        with self._changing_camera:
            return self._put_camera(document, author, new=new)

    def _put_camera(self, document: Mapping[str, Any], author: str, *, new: bool) -> CameraView:
        known = {c.id: c for c in self._cameras()}
        camera = parse_camera(_with_password(document, known))
        if new and camera.id.lower() in {name.lower() for name in known}:
            raise ConfigError(f"camera {camera.id!r} is there already; ids must differ")
        if not new:
            self._require(camera.id, known)
        refuse_bad_source(camera, SystemClock())
        written = camera_document(camera)
        change_camera(self._ledger, camera.id, written, author, datetime.now(UTC))
        return camera_view(camera)

    def remove_camera(self, camera_id: str, author: str) -> None:
        """See `Control.remove_camera`."""
        self._require(camera_id, {c.id: c for c in self._cameras()})
        now = datetime.now(UTC)
        change_camera(self._ledger, camera_id, None, author, now)
        end_all(self._ledger, camera_id, now)

    def _cameras(self) -> list[Camera]:
        return merged(self._file, newest_changes(self._ledger))

    @staticmethod
    def _require(camera_id: str, known: Mapping[str, Camera]) -> Camera:
        if camera_id not in known:
            raise NotFound(f"there is no camera {camera_id[:64]!r}")
        return known[camera_id]

    def line_counts(
        self, camera_id: str, since: str, bin_name: str, line: str | None = None
    ) -> list[CountView]:
        """See `Control.line_counts`."""
        camera = next((c for c in self._cameras() if c.id == camera_id), None)
        now = datetime.now(UTC)
        return line_counts(self._ledger, camera_id, camera, since, bin_name, line, self.zone, now)

    # Events and drift

    def events(
        self,
        camera_id: str | None,
        kind: str | None,
        *,
        only_open: bool,
        offset: int,
        limit: int,
        since: str | None = None,
    ) -> Page[EventView]:
        """See `Control.events`."""
        moment = None if since is None else parse_moment(since, datetime.now(UTC), self.zone)
        found = list_events(self._ledger, camera_id, kind, only_open, limit + 1, offset, moment)
        return _page(found, event_view, offset, limit)

    def acknowledge(self, event: int, author: str) -> EventView:
        """See `Control.acknowledge`."""
        acknowledge_event(self._ledger, event, author, datetime.now(UTC))
        found = find_event(self._ledger, event)
        if found is None:
            raise NotFound(f"there is no event {event}")
        return event_view(found)

    def drift(self, camera_id: str | None = None) -> list[DriftView]:
        """See `Control.drift`; an answer is computed anew after `_DRIFT_KEPT_S`."""
        return [drift_view(name, status) for name, status in self._drift_status(camera_id).items()]

    def drift_page(self, camera_id: str | None = None) -> str:
        """See `Control.drift_page`."""
        return report_page(self._drift_status(camera_id), self._store, self.zone)

    def _drift_status(self, camera_id: str | None) -> dict[str, DriftStatus]:
        with self._computing_drift:
            computed_at, found = self._drift.get(camera_id, (-_DRIFT_KEPT_S, {}))
            if time.monotonic() - computed_at > _DRIFT_KEPT_S:
                found = drift_state(self._settings, self._store, self._ledger, camera_id, self._tell)
                self._drift[camera_id] = time.monotonic(), found
            return found

    # Labels

    def queue(self) -> QueueView:
        """See `Control.queue`."""
        counts = {str(state): count for state, count in count_reviews(self._ledger).items()}
        return QueueView(
            counts=counts,
            suspect=count_doubted(self._ledger),
            labeler=self._settings.labeler,
            url=self._labeling_url(),
        )

    def _labeling_url(self) -> str | None:
        if self._settings.labeler != "label-studio":
            return None
        if self._settings.label_studio_url:
            return redact(self._settings.label_studio_url)
        access = LocalServer(self._settings.home).status()
        return None if access is None else access.url

    def reviews(self, state: str | None, offset: int, limit: int) -> Page[ReviewView]:
        """See `Control.reviews`."""
        states = set(ReviewState) - {ReviewState.CANDIDATE} if state is None else {_state(state)}
        found = newest_reviews(self._ledger, states, limit + 1, offset)
        return _page(found, review_view, offset, limit)

    def review_image(self, digest: str) -> bytes:
        """See `Control.review_image`."""
        found = find_reviews(self._ledger, [digest])
        if not found:
            raise NotFound(f"there is no frame {digest[:64]!r}")
        if found[0].state is ReviewState.EXPIRED:
            raise NotFound("the frame has expired, and its image is gone")
        return self._store.get(found[0].image_key)

    def push_labels(self, choose: int = 0) -> ExchangeView:
        """See `Control.push_labels`."""
        return self._label_exchange().push(choose)

    def pull_labels(self) -> ExchangeView:
        """See `Control.pull_labels`."""
        return self._label_exchange().pull()

    def label_report(self, *, only_random: bool = True) -> LabelReportView:
        """See `Control.label_report`."""
        return self._label_exchange().report(only_random=only_random)

    def label_problems(self, *, rejected: bool, suspect: bool) -> list[LabelProblemView]:
        """See `Control.label_problems`."""
        return self._label_exchange().problems(rejected=rejected, suspect=suspect)

    def reopen_labels(
        self, digests: Sequence[str] = (), *, rejected: bool = False, suspect: bool = False
    ) -> int:
        """See `Control.reopen_labels`."""
        return self._label_exchange().reopen(digests, rejected=rejected, suspect=suspect)

    def confirm_labels(self, digests: Sequence[str] = (), *, suspect: bool = False) -> int:
        """See `Control.confirm_labels`."""
        return self._label_exchange().confirm(digests, suspect=suspect)

    def _label_exchange(self) -> LabelExchange:
        return LabelExchange(self._settings, self._ledger, self._store, self._default_model)

    # Models

    def models(self) -> list[ModelView]:
        """See `Control.models`."""
        if not has_registry(self._settings):
            return []
        return [model_view(version) for version in open_registry(self._settings).versions()]

    def lineage(self, version: str) -> list[LineageView]:
        """See `Control.lineage`."""
        self._require_version(version)
        return [lineage_view(one) for one in lineage(self._settings, version)]

    def _require_version(self, name: str) -> None:
        if not any(name == str(m.number) or name in m.aliases for m in self.models()):
            raise NotFound(f"there is no version {name[:64]!r}; `streetloop models` lists them")

    # Learning

    def learning(self, offset: int, limit: int) -> Page[LearningView]:
        """See `Control.learning`."""
        found = list_learning(self._ledger, most=offset + limit + 1)[offset:]
        return _page(found, learning_view, offset, limit)

    def learn(self, author: str) -> LearningView:
        """See `Control.learn`."""
        now = datetime.now(UTC)
        trigger = {"kind": "a person", "because": f"{author} asked for it"}
        run = begin_learning(self._ledger, f"learn-{now:%Y%m%dT%H%M%SZ}", trigger, now)
        return learning_view(run)

    def resume_learning(self, author: str) -> LearningView:
        """See `Control.resume_learning`."""
        run = open_learning(self._ledger)
        if run is None:
            raise LearningError("no learning run is open")
        if run.step is not Step.PARKED:
            raise LearningError(f"learning run {run.id} is not parked: it is at {run.step}")
        step, now = Step(str(run.detail["parked"])), datetime.now(UTC)
        return learning_view(go_on(self._ledger, run, step, now, {"resumed by": author}))

    def drop_learning(self, author: str) -> LearningView:
        """See `Control.drop_learning`."""
        run = open_learning(self._ledger)
        if run is None:
            raise LearningError("no learning run is open")
        now, why = datetime.now(UTC), f"by hand ({author})"
        return learning_view(go_on(self._ledger, run, Step.DROPPED, now, reason=why))

    # Rollouts

    def rollouts(self, offset: int, limit: int) -> Page[RolloutView]:
        """See `Control.rollouts`."""
        found = list_rollouts(self._ledger, offset + limit + 1)[offset:]
        return _page(found, rollout_view, offset, limit)

    def rollout(self, number: int | None = None) -> RolloutView:
        """See `Control.rollout`."""
        for rollout in list_rollouts(self._ledger, 1 if number is None else _MAX_ROLLOUTS):
            if number in {None, rollout.id}:
                return rollout_view(rollout, list_decisions(self._ledger, rollout.id))
        if number is None:
            raise NotFound("no rollout yet: `streetloop rollout start VERSION` begins one")
        raise NotFound(f"there is no rollout {number}")

    def start_rollout(
        self, version: str, city: str | None, author: str, *, despite_verdict: bool = False
    ) -> RolloutView:
        """See `Control.start_rollout`."""
        self._require_version(version)
        started = request_rollout(
            self._settings,
            self._ledger,
            version,
            self._policy,
            author,
            city,
            self._tell,
            despite_verdict=despite_verdict,
        )
        return rollout_view(started)

    def steer_rollout(self, wanted: str, author: str) -> RolloutView:
        """See `Control.steer_rollout`."""
        return rollout_view(request_command(self._ledger, RolloutCommand(wanted), author))

    # Health

    def health(self) -> HealthView:
        """See `Control.health`."""
        return health_of(self.cameras, has_report=self._report.is_file())

    def report_page(self) -> str:
        """See `Control.report_page`."""
        try:
            return self._report.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotFound("there is no report yet: `streetloop demo` writes one") from None

    @property
    def _report(self) -> Path:
        return self._settings.home / REPORT_FILE


def _with_password(document: Mapping[str, Any], known: Mapping[str, Camera]) -> Mapping[str, Any]:
    """The document with the password of an address that was sent back without it."""
    before = known.get(str(document.get("id")))
    if before is None or document.get("uri") != str(before.uri):
        return document
    return {**document, "uri": before.uri.reveal()}


def _page(found: Sequence[T], view: Callable[[T], V], offset: int, limit: int) -> Page[V]:
    return Page(items=[view(one) for one in found[:limit]], offset=offset, more=len(found) > limit)


def _state(name: str) -> ReviewState:
    try:
        return ReviewState(name)
    except ValueError:
        known = ", ".join(ReviewState)
        raise NotFound(f"there is no state {name[:40]!r}; frames are {known}") from None
