"""Labels: frames out to whoever labels, answers home; by hand, and by itself while streams run."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import SecretStr

from labeling.annotators import NEWEST, Agreement
from labeling.label_studio import LabelStudio
from labeling.labeler import Labeler
from labeling.local_server import LocalServer
from labeling.oracle import Flaws, OracleLabeler
from labeling.quality import Changes, by_class, total
from labeling.queue import ReviewQueue, boxes_of
from streetloop.clock import Clock, SystemClock
from streetloop.errors import ConfigError, LabelerError, LedgerError, StoreError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.ledger.reviews import Review, State, list_reviews
from streetloop.settings import Settings
from streetloop.store import ObjectStore

_log = logging.getLogger(__name__)

_POLL_S = 15.0
_MOST_HELD = 10_000


def open_labeler(
    settings: Settings,
    classes: Sequence[str],
    store: ObjectStore,
    queue: ReviewQueue,
    clock: Clock | None = None,
) -> Labeler | None:
    """Whoever labels, as the settings have it; None for nobody.

    Raises:
        ConfigError: Label Studio is wanted, and no server or token is known.
    """
    if settings.labeler == "none":
        return None
    if settings.labeler == "oracle":
        share = settings.oracle_errors / 3
        flaws = Flaws(settings.oracle_delay_s, missed=share, wrong_class=share, jitter=share)
        return OracleLabeler(classes, clock or SystemClock(), flaws, queue.find)
    url, token = _label_studio(settings)
    people = settings.label_annotators
    resolve = NEWEST if people == 1 else Agreement(people)
    return LabelStudio(url, token, settings.label_project, classes, store, resolve=resolve)


def _label_studio(settings: Settings) -> tuple[str, SecretStr]:
    url, token = settings.label_studio_url, settings.label_studio_token
    if url and token:
        return url, token
    if url or token:
        missing = "STREETLOOP_LABEL_STUDIO_TOKEN" if url else "STREETLOOP_LABEL_STUDIO_URL"
        raise ConfigError(f"Label Studio: set {missing}, too")
    access = LocalServer(settings.home).status()
    if access is None:
        raise ConfigError(
            "no Label Studio is known: start one with `streetloop labelstudio up`, or set "
            "STREETLOOP_LABEL_STUDIO_URL and STREETLOOP_LABEL_STUDIO_TOKEN"
        )
    return access.url, access.token


def push(queue: ReviewQueue, labeler: Labeler) -> int:
    """Hand over what is pending, and again what the labeller has lost; how many frames.

    Raises:
        LabelerError: Not all could be handed over; the rest is kept.
    """
    if isinstance(labeler, LabelStudio):
        queue.ask_again(labeler.missing(queue.waiting()))
    return queue.push(labeler)


def drifting(ledger: Ledger) -> dict[str, str]:
    """Cameras that drift in a way that labels help against, and the likeliest cause.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    findings = list_findings(ledger, only_open=True)
    return {f.camera_id: f.causes[0] for f in findings if f.asks_for_labels}


class LabelLoop:
    """Chooses, pushes and pulls by itself, on a thread of its own: a labeller may be slow.

    Args:
        queue: The frames.
        store: Where their images are.
        labeler: Who labels; None to choose only.
        settings: How many and how often.
        ledger: Knows which cameras drift.
        tell: Called with a sentence for people.
    """

    def __init__(
        self,
        queue: ReviewQueue,
        store: ObjectStore,
        labeler: Labeler | None,
        settings: Settings,
        ledger: Ledger,
        tell: Callable[[str], None],
    ) -> None:
        self._queue = queue
        self._store = store
        self._labeler = labeler
        self._settings = settings
        self._ledger = ledger
        self._tell = tell
        self._told: set[str] = set()
        self._held: list[Review] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="labels", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def add(self, found: Iterable[Review]) -> None:
        """Note candidates; those that the ledger does not take now are tried again."""
        self._held = [*self._held, *found][-_MOST_HELD:]
        with self._said():
            self._queue.add(self._held)
            self._held = []

    def close(self) -> None:
        """Stop; what is under way is finished."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60.0)

    def round(self) -> None:
        """Choose frames, hand them over, and take the answers that there are."""
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

    def _exchange(self) -> None:
        if self._labeler is None:
            return
        with self._said():
            push(self._queue, self._labeler)
        with self._said():
            answers = self._queue.pull(self._labeler)
            if answers:
                self._tell(f"{answers} answers from whoever labels")

    def _run(self) -> None:
        wait = min(_POLL_S, self._settings.label_every_s)
        since = 0.0
        while not self._stop.wait(wait):
            since += wait
            try:
                if since >= self._settings.label_every_s:
                    since = 0.0
                    self.round()
                else:
                    self._exchange()
            except Exception as error:  # noqa: BLE001
                # The boundary of the thread: whatever labelling does, streams go on.
                _log.exception("a round of labelling failed")
                self._tell_once(f"a round of labelling failed: {type(error).__name__}: {error}")

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (LabelerError, LedgerError, StoreError) as error:
            _log.warning("labelling: %s", error)
            self._tell_once(str(error))

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)


def measured(ledger: Ledger, names: Sequence[str], only_random: bool) -> dict[str, Changes]:
    """What labellers changed, by class name, over all labelled frames or the random ones.

    The boxes that a model proposed are those that it would have shown: random frames measure it.
    """
    frames = [
        (review.camera_id, boxes_of(review.boxes), boxes_of(review.label))
        for review in list_reviews(ledger, [State.LABELED, State.IN_DATASET])
        if review.label is not None and (review.reason == "random" or not only_random)
    ]
    return by_class(total(frames), names)


def start_server(home: Path, port: int, say: Callable[[str], None]) -> dict[str, str]:
    """Start Label Studio on this machine; what a person needs to log in.

    Raises:
        ConfigError: It cannot be installed, or the port is taken.
        LabelerError: It does not come up.
    """
    access = LocalServer(home, port).up(say)
    return {
        "url": access.url,
        "user": access.user,
        "password": access.password.get_secret_value(),
        "token": access.token.get_secret_value(),
    }
