"""Label Studio as a `labeling.labeler.Labeler`: people label.

Frames are tasks of one project, identified by the digest in their data. The adapter keeps no state:
before it imports frames, it asks the project which ones are there.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from labeling.annotators import NEWEST, Agreement, Resolve
from labeling.answers import Answer
from labeling.label_studio.api import LabelStudioApi, Project
from labeling.label_studio.config import LabelControl, find_control, label_config
from labeling.label_studio.image_links import UPLOADED, ByUrl, Images, LocalFiles
from labeling.label_studio.payload import digest_of, to_answer, to_request
from labeling.webhook.verify import SECRET_HEADER
from streetloop.errors import ConfigError, LabelerError, LabelerRefused, StoreError
from streetloop.ledger.reviews import FrameRecord
from streetloop.storage.store import ObjectStore

_BATCH = 25  # frames an import
_RENEW_EVERY = timedelta(hours=1)
_MAX_IMAGE_BYTES = 16_000_000
_TITLE_CHARS = range(3, 51)
_TOKEN = re.compile(r"[0-9a-f]{40}|[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_NEVER_SET_UP = {"", "<View></View>", "<View/>"}


class LabelStudio:
    """A `labeling.labeler.Labeler`: people in front of Label Studio.

    Args:
        url: Of the server.
        token: A personal access token (a JWT) or a legacy token (40 hex digits).
        title: Of the project; created if there is none, adopted if there is one.
        classes: Class names by class id.
        store: Holds the JPEGs.
        images: How the annotator's browser gets them.
        resolve: How several annotations of one frame become one answer.
        timeout_s: Longest silence of the server within one request.

    Raises:
        ConfigError: Label Studio cannot accept the token, the title or a class.
        LabelerRefused: The token has expired.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr,
        title: str,
        classes: Sequence[str],
        store: ObjectStore,
        images: Images = UPLOADED,
        resolve: Resolve = NEWEST,
        timeout_s: float = 60.0,
    ) -> None:
        if _TOKEN.fullmatch(token.get_secret_value()) is None:
            raise ConfigError(
                "the token of Label Studio is neither a personal access token nor 40 hex digits"
            )
        if len(title.strip()) not in _TITLE_CHARS:
            raise ConfigError("the title of a Label Studio project has 3 to 50 characters")
        self._title = title.strip()
        self._classes = list(classes)
        self._config = label_config(classes)
        self._store = store
        self._images = images
        self._resolve = resolve
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._hook: tuple[str, dict[str, str]] | None = None
        self._api = LabelStudioApi(url, token, timeout_s)

    @property
    def url(self) -> str:
        """Of the server, without credentials."""
        return self._api.shown

    def push(self, frames: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`; a frame whose JPEG is gone does not hold the others back.

        Raises:
            LabelerRefused: The token is refused, or the labeling interface lacks our classes.
            LabelerError: The server or an image cannot be reached.
        """
        if not frames:
            return
        project, control = self._project()
        there = self._digests(project)
        wanted = {frame.digest: frame for frame in frames}
        for digest in [digest for digest in wanted if digest in there]:
            pushed(digest)
            del wanted[digest]
        new = list(wanted.values())
        faults: list[Exception] = []
        for start in range(0, len(new), _BATCH):
            batch = self._import(project, control, new[start : start + _BATCH], faults)
            for frame in batch:
                pushed(frame.digest)
        if faults:
            raise LabelerError(f"{len(faults)} frames have no image: {faults[0]}") from faults[0]

    def pull(self, waiting: Collection[str]) -> list[Answer]:
        """See `Labeler.pull`.

        Raises:
            LabelerRefused: The token is refused, the project is gone, or the labeling interface
                lacks our classes; no answer comes before that is repaired.
            LabelerError: The server cannot be reached.
        """
        wanted = set(waiting)
        if not wanted:
            return []
        project = self._existing()
        control = find_control(project.label_config, self._classes)
        found: dict[str, tuple[dict[str, Any], dict[int, Any]]] = {}
        for task in self._api.annotated(project.id):
            if (digest := digest_of(task)) in wanted and digest is not None:
                given = found.setdefault(digest, (task["data"], {}))[1]
                given.update({raw["id"]: raw for raw in task.get("annotations") or []})
        people = self._api.people() if found else {}
        answers = [
            to_answer(digest, data, list(given.values()), people, control, self._resolve)
            for digest, (data, given) in found.items()
        ]
        return [answer for answer in answers if answer is not None]

    def missing(self, digests: Collection[str]) -> set[str]:
        """Which of these frames the project lacks, for example because tasks were deleted.

        Raises:
            LabelerError: The server cannot be reached.
        """
        project = self._api.project(self._title)
        return set(digests) - (self._digests(project.id) if project is not None else set())

    def renew(self, waiting: Callable[[], Sequence[FrameRecord]]) -> int:
        """Renew image addresses that expire soon; returns how many.

        Cheap to call often: it looks at the tasks once an hour.

        Args:
            waiting: Returns the frames that were pushed and not answered; called only where
                addresses expire.

        Raises:
            LabelerError: The server cannot be reached.
        """
        images, now = self._images, datetime.now(UTC)
        if not isinstance(images, ByUrl) or images.lasts is None or now < self._renew_at:
            return 0
        wanted, done = {frame.digest: frame for frame in waiting()}, 0
        project = self._api.project(self._title)
        for raw in self._api.tasks(project.id) if project is not None and wanted else ():
            digest, data = digest_of(raw), raw["data"]
            if digest in wanted and images.is_old(data.get("image_until"), now):
                url = images.url(wanted[digest].image_key)
                fresh = {"image": url, "image_until": images.until(now)}
                self._api.change_data(int(raw["id"]), {**data, **fresh})
                done += 1
        self._renew_at = now + _RENEW_EVERY
        return done

    def want_webhook(self, url: str, secret: SecretStr) -> None:
        """Have Label Studio call ``url`` when annotations are created, changed or deleted.

        May be repeated. A project that has to be created again gets the webhook again.

        Args:
            url: Address at which the server reaches us.
            secret: What `labeling.webhook.verify.is_genuine` looks for in the headers.

        Raises:
            LabelerError: The server cannot be reached, or refuses the address.
        """
        self._hook = (url, {SECRET_HEADER: secret.get_secret_value()})
        project, _ = self._project()
        self._api.hook(project, *self._hook)

    def _existing(self) -> Project:
        if (project := self._api.project(self._title)) is None:
            raise LabelerRefused(
                f"Label Studio at {self._api.shown} has no project {self._title!r} any more; "
                "pushing frames makes it again"
            )
        return project

    def _project(self) -> tuple[int, LabelControl]:
        """Create or update the project; returns its id and where boxes are drawn in it."""
        annotators = self._resolve.annotators if isinstance(self._resolve, Agreement) else 1
        is_new = self._api.project(self._title) is None
        if is_new:
            self._api.make_project(self._title, self._config, annotators)
        project = self._existing()
        if is_new and self._hook is not None:
            self._api.hook(project.id, *self._hook)
        config = project.label_config
        if config.replace(" ", "") in _NEVER_SET_UP:
            config = self._config
            self._api.change_project(project.id, label_config=config)
        if project.annotators < annotators:
            self._api.change_project(project.id, maximum_annotations=annotators)
        return project.id, find_control(config, self._classes)

    def _digests(self, project: int) -> set[str]:
        return {digest for task in self._api.tasks(project) if (digest := digest_of(task))}

    def _import(
        self, project: int, control: LabelControl, frames: Sequence[FrameRecord], faults: list[Exception]
    ) -> list[FrameRecord]:
        """Import a batch; returns the imported frames, and appends a fault for each other."""
        until = self._images.until(datetime.now(UTC)) if isinstance(self._images, ByUrl) else ""
        if isinstance(self._images, ByUrl | LocalFiles):
            urls: Mapping[str, str] = {f.digest: self._images.url(f.image_key) for f in frames}
            if isinstance(self._images, LocalFiles):
                self._api.serve_folder(project, str(self._images.folder))
        else:
            jpegs = self._jpegs(frames, faults)
            urls = self._api.upload(project, jpegs) if jpegs else {}
        batch = [frame for frame in frames if frame.digest in urls]
        if batch:
            requests = [to_request(frame, urls[frame.digest], control, until) for frame in batch]
            self._api.add_tasks(project, requests)
            # Only this version's boxes are shown; older frames that wait open without boxes.
            self._api.change_project(project, model_version=batch[-1].model_version)
        return batch

    def _jpegs(self, frames: Sequence[FrameRecord], faults: list[Exception]) -> dict[str, bytes]:
        jpegs = {}
        for frame in frames:
            try:
                jpeg = self._store.get(frame.image_key)
            except StoreError as error:
                faults.append(error)
                continue
            if len(jpeg) > _MAX_IMAGE_BYTES:
                faults.append(LabelerError(f"{frame.image_key} has {len(jpeg)} bytes"))
            else:
                jpegs[frame.digest] = jpeg
        return jpegs
