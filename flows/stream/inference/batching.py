"""From mailboxes to batches: which frames are sent next, letterboxed into one array."""

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from flows.stream.inference.batch import Batch
from flows.stream.inference.pace import Pace
from flows.stream.inference.router import Router
from flows.stream.ingest.mailbox import Mailbox
from streetloop.clock import Clock
from streetloop.settings import Settings
from streetloop.types import Frame
from train.model.contract import ANY_SIZE, ModelInput
from train.model.preprocess import letterbox_into

_MAX_WAIT_S = 0.5  # a suspension of the challenger ends without a notification


class Batcher:
    """Makes the batches of one application.

    Args:
        application: The application.
        mailboxes: The mailboxes of the pipeline's cameras by id, asked again for each batch.
        is_over: True once no camera of the pipeline will give a frame any more.
        router: Says which cameras are at the application.
        ready: Notified when a frame arrives or a camera changes its application.
        settings: ``staleness_s`` and ``max_batch`` limit the batches, see `Pace`; ``image_size`` is
            the long side of the model's input in pixels.
        clock: The clock that stamped the frames' arrival.
        model_input: The images that the model takes.

    Attributes:
        pace: How fast the application answers.
    """

    def __init__(
        self,
        application: str,
        mailboxes: Callable[[], Mapping[str, Mailbox]],
        is_over: Callable[[], bool],
        router: Router,
        ready: threading.Condition,
        settings: Settings,
        clock: Clock,
        model_input: ModelInput = ANY_SIZE,
    ) -> None:
        self.pace = Pace(settings.staleness_s, settings.max_batch)
        self._application = application
        self._mailboxes, self._is_over = mailboxes, is_over
        self._router, self._ready, self._clock = router, ready, clock
        self._max_batch, self._image_size = settings.max_batch, settings.image_size
        self._model_input = model_input
        self._turn = 0
        self._retired = False

    def take_batch(self) -> Batch | None:
        """Wait for frames and pack them; None once there will be no more.

        One thread at a time may call it.
        """
        with self._ready:
            while not (frames := self._choose()):
                if self._retired or self._is_over():
                    return None
                self._ready.wait(_MAX_WAIT_S)
            self._router.sent(frames)
        self._turn += 1
        return pack(frames, self._image_size, self._model_input)

    def retire(self) -> None:
        """Take no more frames; the caller holds ``ready``."""
        self._retired = True

    def _choose(self) -> list[Frame]:
        if self._retired:
            return []
        now_s = self._clock.monotonic()
        cameras = self._router.cameras_of(self._application, now_s)
        mine = [mailbox for camera, mailbox in self._mailboxes().items() if camera in cameras]
        return choose(
            mine, self._turn, self.pace, self._max_batch, self._image_size, now_s, self._model_input
        )


def choose(
    mailboxes: Sequence[Mailbox],
    turn: int,
    pace: Pace,
    max_batch: int,
    image_size: int,
    now_s: float,
    model_input: ModelInput = ANY_SIZE,
) -> list[Frame]:
    """Take the frames of the next batch out of the mailboxes; the caller holds their condition.

    Cameras share the batch evenly, beginning with a different one each ``turn``. All frames of a
    batch get the input shape of the first; frames of another shape stay for a later batch.

    Args:
        mailboxes: Of the cameras that the batch may be of.
        turn: Number of the batch.
        pace: Limits live batches to what is answered within the staleness budget.
        max_batch: Largest batch in frames; reached regardless of the pace if a camera is lossless.
        image_size: Long side of the model's input in pixels.
        now_s: The monotonic clock.
        model_input: The images that the model takes.

    Returns:
        The frames, of one camera in order of time; none if nothing waits.
    """
    waiting = [mailbox for mailbox in _rotated(mailboxes, turn) if len(mailbox)]
    limit = max_batch if any(mailbox.lossless for mailbox in waiting) else pace.batch_size
    limit = max(limit, model_input.batch or 1)  # a fixed batch costs the same however full it is
    chosen: list[Frame] = []
    shape: tuple[int, int] | None = None

    def fits(frame: Frame) -> bool:
        nonlocal shape
        own = _size(frame, image_size, model_input)
        shape = shape or own
        return own == shape

    for position, mailbox in enumerate(waiting):
        share = -(-(limit - len(chosen)) // (len(waiting) - position))
        if share > 0:
            in_budget = max(pace.frames_in_budget, model_input.batch or 1)
            backlog = max(1, in_budget // len(waiting))
            chosen += mailbox.take(share, backlog, now_s, fits)
    return chosen


def _rotated(mailboxes: Sequence[Mailbox], turn: int) -> list[Mailbox]:
    start = turn % max(1, len(mailboxes))
    return list(itertools.chain(mailboxes[start:], mailboxes[:start]))


def _size(frame: Frame, image_size: int, model_input: ModelInput) -> tuple[int, int]:
    return model_input.size_for(frame.picture.width, frame.picture.height, image_size)


def pack(frames: list[Frame], image_size: int, model_input: ModelInput = ANY_SIZE) -> Batch:
    """Letterbox frames that share an input shape into one array.

    Args:
        frames: At least one.
        image_size: Long side of the model's input in pixels.
        model_input: The images that the model takes.
    """
    height, width = _size(frames[0], image_size, model_input)
    images = np.empty((len(frames), height, width, 3), np.uint8)
    letterboxes = [
        letterbox_into(image, frame.picture.bgr()) for image, frame in zip(images, frames, strict=True)
    ]
    return Batch(frames, images, letterboxes)
