"""Labels by themselves while streams run: frames are chosen, handed over, and taken home."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from labeling.class_guard import LabelGuard
from labeling.label_studio.adapter import LabelStudio
from labeling.labeler import Labeler
from labeling.measured_quality import keep_measures
from labeling.open_labeler import drifting, push
from labeling.queue import ReviewQueue
from labeling.webhook.registration import LabelHook, is_hook_wanted
from streetloop.errors import ConfigError, LabelerError, LedgerError, RegistryError, StoreError
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import Review, ReviewState
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore

_log = logging.getLogger(__name__)

_POLL_S = 15.0
_HINT_S = 1.0  # between two pulls that hints ask for, however many there are
_MOST_HELD = 10_000
_WORKED_ON = (ReviewState.CANDIDATE, ReviewState.PENDING, ReviewState.PUSHED, ReviewState.LABELED)


class LabelLoop:
    """Chooses, pushes and pulls by itself, on a thread of its own: a labeller may be slow.

    Args:
        queue: The frames.
        store: Where their images are.
        labeler: Who labels; None to choose only.
        settings: How many and how often.
        ledger: Knows which cameras drift.
        guard: Of the model in charge; frames that do not fit it are left alone.
        tell: Called with a sentence for people.
    """

    def __init__(
        self,
        queue: ReviewQueue,
        store: ObjectStore,
        labeler: Labeler | None,
        settings: Settings,
        ledger: Ledger,
        guard: LabelGuard,
        tell: Callable[[str], None],
    ) -> None:
        self._queue = queue
        self._store = store
        self._labeler = labeler
        self._settings = settings
        self._ledger = ledger
        self._guard = guard
        self._tell = tell
        self._told: set[str] = set()
        self._held: list[Review] = []
        self._unmeasured = True  # answers may have come before the start
        self._hook: LabelHook | None = None
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="labels", daemon=True)

    def start(self) -> None:
        """Begin, and listen for Label Studio's webhook where it can reach us."""
        studio = self._labeler
        if isinstance(studio, LabelStudio) and is_hook_wanted(self._settings, studio.url):
            try:
                self._hook = LabelHook(self._settings, self.hint)
                self._hook.start()
            except ConfigError as error:
                self._tell_once(f"{error}; answers come by polling alone")
        self._thread.start()

    def hint(self) -> None:
        """There may be answers: take them now rather than at the next poll."""
        self._woken.set()

    def add(self, found: Iterable[Review]) -> None:
        """Note candidates; those that the ledger does not take now are tried again."""
        self._held = [*self._held, *found][-_MOST_HELD:]
        with self._said():
            self._queue.add(self._held)
            self._held = []

    def close(self) -> None:
        """Stop; what is under way is finished."""
        self._stop.set()
        self._woken.set()
        if self._hook is not None:
            self._hook.close()
        if self._thread.is_alive():
            self._thread.join(timeout=60.0)

    def round(self) -> None:
        """Choose frames, hand them over, take the answers that there are, and measure by them."""
        self._look_for_others()
        with self._said():
            chosen = self._queue.choose(
                self._settings.label_budget, drifting(self._ledger), self._settings.label_every_s
            )
            if chosen:
                self._tell(f"{chosen} frames chosen for labelling")
            for key in self._queue.expire():
                with self._said():
                    self._store.delete(key)
        self._exchange()
        if self._unmeasured:
            with self._said():
                keep_measures(self._ledger, self._guard)
                self._unmeasured = False

    def _look_for_others(self) -> None:
        """Find out which frames fit the model in charge, and say once which do not."""
        with self._said():
            refusal = self._guard.refusal(self._ledger, _WORKED_ON)
            if refusal is not None:
                self._tell_once(str(refusal))

    def _exchange(self) -> None:
        if self._labeler is None:
            return
        self._look_for_others()
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
            if answers:
                self._unmeasured = True
                self._tell(f"{answers} answers from whoever labels")

    def _run(self) -> None:
        every_s = self._settings.label_every_s
        poll_at = time.monotonic() + min(_POLL_S, every_s)
        round_at = time.monotonic() + every_s
        while not self._stop.is_set():
            is_hint = self._woken.wait(max(0.0, poll_at - time.monotonic()))
            self._woken.clear()  # before the pull: what is hinted at meanwhile is pulled after it
            if self._stop.is_set():
                return
            now = time.monotonic()
            if now >= round_at:
                poll_at, round_at = now + min(_POLL_S, every_s), now + every_s
                self._guarded(self.round)
            elif now >= poll_at:
                poll_at = now + min(_POLL_S, every_s)
                self._guarded(self._exchange)
            elif is_hint:
                self._guarded(self._pull)
                self._stop.wait(_HINT_S)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001
            # The boundary of the thread: whatever labelling does, streams go on.
            _log.exception("a round of labelling failed")
            self._tell_once(f"a round of labelling failed: {type(error).__name__}: {error}")

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (LabelerError, LedgerError, RegistryError, StoreError) as error:
            _log.warning("labelling: %s", error)
            self._tell_once(str(error))

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)
