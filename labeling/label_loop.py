"""The label loop: chooses frames, pushes them and pulls the answers while streams run."""

import contextlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator

from labeling.label_studio.adapter import LabelStudio
from labeling.labeler import Labeler
from labeling.measured_quality import keep_measures
from labeling.older_frames import OlderFrames
from labeling.open_labeler import drifting, push
from labeling.queue import ReviewQueue
from labeling.webhook.registration import LabelHook, is_hook_wanted
from streetloop.errors import ConfigError, LabelerError, LedgerError, RegistryError, StoreError
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import FrameRecord, ReviewState, count_doubted
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore

_log = logging.getLogger(__name__)

_POLL_S = 15.0
_CLOSE_S = 60.0
_HINT_S = 1.0  # between two pulls that hints ask for, however many there are
_MAX_HELD = 10_000
_WORKED_ON = (ReviewState.CANDIDATE, ReviewState.PENDING, ReviewState.PUSHED, ReviewState.LABELED)


class LabelLoop:
    """Chooses, pushes and pulls on a thread of its own, because a labeler may be slow.

    Args:
        queue: The frames.
        store: Holds their images.
        labeler: Receives the frames; None to choose only.
        settings: The budget and the interval.
        ledger: Holds the drift findings.
        older: Names the classes of frames of older versions; those without names stay untouched.
        tell: Called with each message for the user.
    """

    def __init__(
        self,
        queue: ReviewQueue,
        store: ObjectStore,
        labeler: Labeler | None,
        settings: Settings,
        ledger: Ledger,
        older: OlderFrames,
        tell: Callable[[str], None],
    ) -> None:
        self._queue = queue
        self._store = store
        self._labeler = labeler
        self._settings = settings
        self._ledger = ledger
        self._older = older
        self._tell = tell
        self._tell_once = SayOnce(tell)
        self._held: list[FrameRecord] = []
        self._unmeasured = True  # answers may have come before the start
        self._hook: LabelHook | None = None
        self._polls = 0
        self._polls_per_round = max(1, math.ceil(settings.label_every_s / _POLL_S))
        self._thread = PollingThread(
            "labeling",
            self._poll,
            settings.label_every_s / self._polls_per_round,
            _log,
            self._tell_once,
            self._pull,
            _HINT_S,
        )

    def start(self) -> None:
        """Start the thread, and a webhook listener where Label Studio can reach this machine."""
        studio = self._labeler
        if isinstance(studio, LabelStudio) and is_hook_wanted(self._settings, studio.url):
            try:
                self._hook = LabelHook(self._settings, self.hint)
                self._hook.start()
            except ConfigError as error:
                self._tell_once(f"{error}; answers come by polling alone")
        self._thread.start()

    def hint(self) -> None:
        """There may be answers: pull now, not at the next poll."""
        self._thread.wake()

    def add(self, found: Iterable[FrameRecord]) -> None:
        """Store candidates; those that the ledger cannot take now are kept for the next call."""
        self._held = [*self._held, *found][-_MAX_HELD:]
        with self._said():
            self._queue.add(self._held)
            self._held = []

    def close(self) -> None:
        """Stop after the step under way."""
        if self._hook is not None:
            self._hook.close()
        self._thread.close(_CLOSE_S)

    def round(self) -> None:
        """Choose frames, push them, pull the answers, and measure the model by them."""
        self._look_for_older()
        with self._said():
            chosen = self._queue.choose(
                self._settings.label_budget, drifting(self._ledger), self._settings.label_every_s
            )
            if chosen:
                self._tell(f"{chosen} frames chosen for labeling")
            for key in self._queue.expire():
                with self._said():
                    self._store.delete(key)
        self._exchange()
        if self._unmeasured:
            with self._said():
                keep_measures(self._ledger)
                self._unmeasured = False

    def _look_for_older(self) -> None:
        """Name the classes of older frames, and say once which have none or are in doubt."""
        with self._said():
            self._older.settle()
            if (refusal := self._older.refusal(_WORKED_ON)) is not None:
                self._tell_once(str(refusal))
            if count := count_doubted(self._ledger):
                self._tell_once(f"{count} labels are in doubt: see `streetloop label status --suspect`")

    def _exchange(self) -> None:
        if self._labeler is None:
            return
        self._look_for_older()
        if self._hook is not None and isinstance(self._labeler, LabelStudio):
            with self._said():
                self._hook.register(self._labeler)
        with self._said():
            push(self._queue, self._labeler)
        self._pull()

    def _pull(self) -> None:
        if self._labeler is None:
            return
        with self._said():
            answers = self._queue.pull(self._labeler)
            if answers.total:
                self._unmeasured = True
                self._tell(f"{answers.total} answers from the labeler")

    def _poll(self) -> None:
        self._polls += 1
        if self._polls % self._polls_per_round == 0:
            self.round()
        else:
            self._exchange()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (LabelerError, LedgerError, RegistryError, StoreError) as error:
            _log.error("labeling: %s", error)
            self._tell_once(str(error))
