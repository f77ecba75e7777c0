"""The review queue, and what goes to the labeler and back."""

from collections.abc import Sequence
from typing import Protocol

from streetloop.control import label_views, views


class LabelControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def queue(self) -> label_views.QueueView:
        """The review queue in numbers."""

    def reviews(
        self, state: str | None, offset: int, limit: int, camera_id: str | None = None
    ) -> views.Page[label_views.ReviewView]:
        """Frames of the review queue, the newest first; None takes all but candidates, all cameras.

        Raises:
            NotFound: There is no such state.
        """

    def review(self, digest: str) -> label_views.ReviewView:
        """One frame of the review queue.

        Args:
            digest: Its digest, or at least 6 characters that it begins with.

        Raises:
            NotFound: There is no such frame, or there are several.
        """

    def answer_review(self, digest: str, answer: label_views.AnswerIn) -> label_views.ReviewView:
        """Answer a frame in the app, or change the answer.

        Args:
            digest: See `review`.
            answer: The boxes, or that the frame is skipped.

        Raises:
            NotFound: There is no such frame.
            ConfigError: The settings name another labeler, the frame is not asked about, or a box
                is none of its picture.
        """

    def review_image(self, digest: str) -> bytes:
        """The image of a frame, JPEG.

        Raises:
            NotFound: There is no such frame, or its image has expired.
        """

    def push_labels(self, choose: int = 0) -> label_views.ExchangeView:
        """Hand pending frames to the labeler, with the model's boxes.

        Args:
            choose: Candidates to choose first, within the daily budget; 0 chooses none.

        Raises:
            ConfigError: No labeler is set up.
            LabelerError: Not all frames could be handed over; the rest stays pending.
        """

    def pull_labels(self) -> label_views.ExchangeView:
        """Take over the answers that the labeler has.

        Raises:
            ConfigError: No labeler is set up.
            LabelerError: The labeler does not answer.
        """

    def label_report(self, *, only_random: bool = True) -> label_views.LabelReportView:
        """Precision and recall of each model, measured by what annotators changed.

        Args:
            only_random: Use only frames that were drawn at random: these measure without bias.

        Raises:
            ModelError: Frames of older versions need a model's class names, and the one that was
                given cannot be opened.
        """

    def label_problems(self, *, rejected: bool, suspect: bool) -> list[label_views.LabelProblemView]:
        """Frames whose answers are not used, with the reason.

        Args:
            rejected: Those without a usable answer.
            suspect: Those that an older version asked about, perhaps with another model's names.
        """

    def reopen_labels(
        self, digests: Sequence[str] = (), *, rejected: bool = False, suspect: bool = False
    ) -> int:
        """Wait for answers again; returns how many frames do.

        What the labeler has about a rejected frame is read anew. A suspect frame is asked anew, and
        its old answer is dropped.

        Args:
            digests: Which frames; the first 6 characters suffice.
            rejected: All rejected frames, too.
            suspect: All suspect frames, too.

        Raises:
            ConfigError: A digest names no rejected or suspect frame, or several.
        """

    def confirm_labels(self, digests: Sequence[str] = (), *, suspect: bool = False) -> int:
        """Trust suspect labels as they are; returns how many.

        Args:
            digests: Which frames; the first 6 characters suffice.
            suspect: All suspect frames, too.

        Raises:
            ConfigError: A digest names no suspect frame, or several, or the class names of a model
                are unknown.
        """

    def teacher_precision(self) -> list[label_views.TeacherPrecisionView]:
        """The measured precision of the teacher that the settings name, all cameras first.

        Raises:
            ConfigError: The labeler of the settings is no teacher.
            ModelError: The model that teaches cannot be used.
        """
