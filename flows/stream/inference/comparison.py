"""What the stream flow asks of a comparison of champion and challenger."""

from dataclasses import dataclass

from flows.stream.inference.batch import Batch, SourceAnswer
from serve.detector.client import Answer, Pending
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import DetectorError
from streetloop.types import Frame, Tracked


@dataclass(frozen=True, slots=True)
class Sample:
    """A batch that the other model was sent, too.

    Attributes:
        batch: The batch.
        application: The application of the other model.
        pending: The other model's answer.
    """

    batch: Batch
    application: str
    pending: Pending


class Comparison:
    """Collects evidence for or against a challenger; this one compares nothing.

    A pipeline without class names uses it: models without common classes cannot be compared. All
    methods return at once unless they say otherwise.
    """

    def start(self) -> None:
        """Start the thread that compares."""

    def close(self) -> None:
        """Finish what is in flight, and stop; blocks for a few seconds at most."""

    def reset(self) -> None:
        """Discard the evidence: a rollout has ended, and the next begins anew."""

    def collect(self) -> Evidence:
        """The evidence since the last call."""
        return Evidence()

    def sample(self, application: str, batch: Batch) -> Sample | None:  # noqa: ARG002
        """Send a batch to the other model, too, if a sample is due.

        Args:
            application: The application that serves the batch.
            batch: The batch.

        Returns:
            The sample, which the caller passes to `answered` later; None if none was taken.
        """
        return None

    def answered(self, sample: Sample, answer: SourceAnswer | None) -> None:
        """Note how the serving model answered a sampled batch; None if it failed."""

    def note_call(self, frames: int, error: DetectorError | None, *, challenger: bool) -> None:
        """Note that a model was asked about ``frames`` frames, and its error if it failed."""

    def served(self, frame: Frame, tracked: Tracked, *, challenger: bool) -> None:
        """Note a served result; called by one thread at a time, camera by camera in time order."""

    def require_sane(self, answer: Answer, batch: Batch) -> None:
        """Check an answer without trusting the model that gave it.

        Raises:
            AnswerInvalid: Wrong number of images, boxes that are not finite or far outside of the
                image, or a class that the models do not share.
        """
