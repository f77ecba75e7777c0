"""What people may see and do while the streams run.

The commands, the API and the app ask through `Control`, and know nothing else of the flows.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Protocol

from streetloop.control import label_views, views

MAX_PAGE_SIZE = 200
MAX_OFFSET = 100_000
MIN_WIDTH, DEFAULT_WIDTH, MAX_WIDTH = 160, 640, 1280
"""Of live pictures, in pixels."""


class Control(Protocol):
    """Every operation of a control service. Calls may take seconds, and may come from many threads.

    An ``author`` is the name of whoever asks; it is written down with the change. An ``offset`` is
    the number of items to skip, a ``limit`` the most to return.

    Raises:
        NotFound: Something that was named does not exist.
        LedgerError: The ledger cannot be read or written.
        StoreError: The object store does not answer.
        RegistryError: The model registry does not answer.
    """

    @property
    def zone(self) -> tzinfo:
        """The time zone in which people read times."""

    def cameras(self) -> list[views.CameraView]:
        """Every camera, in the order of the camera file; cameras that were added come last."""

    def camera(self, camera_id: str) -> views.CameraView:
        """One camera.

        Raises:
            NotFound: There is no such camera.
        """

    def put_camera(self, document: Mapping[str, Any], author: str, *, new: bool) -> views.CameraView:
        """Add a camera, or change one; running streams take it up within seconds.

        Args:
            document: The camera as the camera file has it. An address that came without its
                password keeps the password.
            author: Who asks.
            new: True to add, False to change.

        Raises:
            ConfigError: The document is wrong, or ``new`` and the id is taken.
            NotFound: Not ``new``, and there is no such camera.
        """

    def remove_camera(self, camera_id: str, author: str) -> None:
        """Remove a camera; its recordings stay.

        Raises:
            NotFound: There is no such camera.
        """

    def line_counts(
        self, camera_id: str, since: str, bin_name: str, line: str | None = None
    ) -> list[views.CountView]:
        """Crossings of a camera's lines by bin, direction and class, in order of time.

        Every bin has a row for each direction of each line, and each class that crossed the line in
        the period; a line that nothing crossed has rows without a class.

        Args:
            camera_id: The camera; also one that was removed.
            since: An ISO 8601 date or time, of the settings' time zone if it has no offset, or a
                duration such as ``2h``. The bin that holds it is the first.
            bin_name: One of `streetloop.local_time.BINS`.
            line: Only this line; None for all.

        Raises:
            ConfigError: The time, the bin or the line is wrong, or the camera has no lines.
            NotFound: There is no such camera, and there never was one with counts.
        """

    def events(
        self,
        camera_id: str | None,
        kind: str | None,
        *,
        only_open: bool,
        offset: int,
        limit: int,
        since: str | None = None,
    ) -> views.Page[views.EventView]:
        """Events, the newest first; None takes every camera, every kind, or all times.

        Raises:
            ConfigError: ``since`` is no time, see `streetloop.local_time.parse_moment`.
        """

    def acknowledge(self, event: int, author: str) -> views.EventView:
        """Note that somebody took note of an event.

        Raises:
            NotFound: There is none of that number.
        """

    def drift(self, camera_id: str | None = None) -> list[views.DriftView]:
        """Drift of one camera, or of every camera that was ever watched.

        Raises:
            ConfigError: The camera was never watched.
        """

    def drift_page(self, camera_id: str | None = None) -> str:
        """The same as an HTML page with plots and pictures.

        Raises:
            ConfigError: The camera was never watched.
        """

    def queue(self) -> label_views.QueueView:
        """The review queue in numbers."""

    def reviews(self, state: str | None, offset: int, limit: int) -> views.Page[label_views.ReviewView]:
        """Frames of the review queue, the newest first; None takes all but candidates.

        Raises:
            NotFound: There is no such state.
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

    def models(self) -> list[views.ModelView]:
        """Versions of the registry, the newest first; empty without a registry."""

    def lineage(self, version: str) -> list[views.LineageView]:
        """A version and its ancestors, back to the first.

        Args:
            version: Number or alias.

        Raises:
            NotFound: There is no such version.
        """

    def learning(self, offset: int, limit: int) -> views.Page[views.LearningView]:
        """Learning runs, the newest first."""

    def learn(self, author: str) -> views.LearningView:
        """Start a learning run now, whatever the limits say.

        Raises:
            LearningError: Another one is open.
        """

    def resume_learning(self, author: str) -> views.LearningView:
        """Continue the learning run that is parked.

        Raises:
            LearningError: No run is open, or it is not parked.
        """

    def drop_learning(self, author: str) -> views.LearningView:
        """End the open learning run without a new model; its labels stay.

        Raises:
            LearningError: No run is open.
        """

    def rollouts(self, offset: int, limit: int) -> views.Page[views.RolloutView]:
        """Rollouts without their decisions, the newest first."""

    def rollout(self, number: int | None = None) -> views.RolloutView:
        """One rollout with its decisions; None takes the newest.

        Raises:
            NotFound: There is no such rollout, or none at all.
        """

    def start_rollout(
        self, version: str, city: str | None, author: str, *, despite_verdict: bool = False
    ) -> views.RolloutView:
        """Start a rollout; running streams take it up within seconds.

        Args:
            version: Number or alias of the challenger.
            city: Restrict the rollout to the cameras of this city; None takes all.
            author: Who asks.
            despite_verdict: Start even if the judge refused the version.

        Raises:
            NotFound: There is no such version.
            RolloutError: Another rollout is open, the judge refused the version, or it cannot
                replace the champion.
        """

    def steer_rollout(self, wanted: str, author: str) -> views.RolloutView:
        """Give the open rollout a command: ``pause``, ``resume``, ``promote`` or ``roll back``.

        Raises:
            RolloutError: No rollout is open.
        """

    def health(self) -> views.HealthView:
        """Whether everything runs, and what does not."""

    def report_page(self) -> str:
        """The illustrated report that the demo wrote into the home, HTML.

        Raises:
            NotFound: There is none.
        """


class Pictures(Protocol):
    """The newest annotated pictures of running cameras."""

    async def newest(
        self, after: Mapping[str, int], width: int = DEFAULT_WIDTH
    ) -> dict[str, tuple[int, bytes]]:
        """Number and JPEG by camera, of cameras with a picture newer than in ``after``.

        Args:
            after: The last number seen, by camera.
            width: Of every picture, in pixels; from `MIN_WIDTH` to `MAX_WIDTH`.
        """
