"""Label Studio as a `labeling.labeler.Labeler`: people label.

Frames are tasks of one project, identified by the digest in their data and by how often they were
asked anew. The adapter keeps no state: before it imports frames, it asks the project which ones are
there. The project's interface has a label for every class of the models that found the frames.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from labeling.annotators import NEWEST, Agreement, Resolve
from labeling.answers import Answer
from labeling.label_studio.config import (
    RectangleControl,
    class_names,
    find_control,
    label_config,
    with_labels,
)
from labeling.label_studio.image_links import UPLOADED, ByUrl, Images, LocalFiles
from labeling.label_studio.payload import SHOWN, ask_of, digest_of, to_answer, to_request
from labeling.webhook.verify import SECRET_HEADER
from streetloop.errors import ConfigError, LabelerError, LabelerRefused, StoreError
from streetloop.ledger.reviews import AskedFrame, FrameRecord
from streetloop.storage.store import ObjectStore

if TYPE_CHECKING:
    from labeling.label_studio.api import Project

_BATCH = 25  # frames an import
_RENEW_EVERY = timedelta(hours=1)
_MAX_IMAGE_BYTES = 16_000_000
_TITLE_CHARS = range(3, 51)
_TOKEN = re.compile(r"[0-9a-f]{40}|[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_NEVER_SET_UP = {"", "<View></View>", "<View/>"}

_Question = tuple[str, int]
"""Digest of a frame, and how many times it was asked anew."""


class LabelStudio:
    """A `labeling.labeler.Labeler`: people in front of Label Studio.

    Args:
        url: Of the server.
        token: A personal access token (a JWT) or a legacy token (40 hex digits).
        title: Of the project; created if there is none, adopted if there is one.
        store: Holds the JPEGs.
        images: How the annotator's browser gets them.
        resolve: How several annotations of one frame become one answer.
        timeout_s: Longest silence of the server within one request.

    Raises:
        ConfigError: Label Studio cannot accept the token or the title.
        LabelerRefused: The token has expired.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr,
        title: str,
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
        self._store = store
        self._images = images
        self._resolve = resolve
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._hook: tuple[str, dict[str, str]] | None = None
        # The SDK imports pandas: seconds of a core, which only those pay who use it.
        from labeling.label_studio.api import LabelStudioApi

        self._api = LabelStudioApi(url, token, timeout_s)

    @property
    def url(self) -> str:
        """Of the server, without credentials."""
        return self._api.shown

    def push(self, frames: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`; a frame whose JPEG is gone does not hold the others back.

        Raises:
            LabelerRefused: The token is refused, or the labeling interface has no place for boxes.
            LabelerError: The server or an image cannot be reached.
        """
        if not frames:
            return
        project, control = self._project([name for frame in frames for name in frame.asked_names])
        there = self._tasks(project.id)
        wanted = {frame.digest: frame for frame in frames}
        for digest in [digest for digest, frame in wanted.items() if (digest, frame.asks) in there]:
            pushed(digest)
            del wanted[digest]
        new = list(wanted.values())
        faults: list[Exception] = []
        for start in range(0, len(new), _BATCH):
            for frame in self._import(project, control, new[start : start + _BATCH], faults):
                self._withdraw(frame, there)
                pushed(frame.digest)
        if faults:
            raise LabelerError(f"{len(faults)} frames have no image: {faults[0]}") from faults[0]

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        """See `Labeler.pull`; the newest answer counts, also if it was changed after it was read.

        Raises:
            LabelerRefused: The token is refused, the project is gone while frames wait, or its
                labeling interface has no place for boxes.
            LabelerError: The server cannot be reached.
        """
        wanted = {(one.digest, one.asks): one for one in asked}
        waits = any(one.answered_at is None for one in asked)
        project = self._existing() if waits else self._api.project(self._title)
        if not wanted or project is None:
            return []
        tasks, annotations = self._annotated(project, wanted)
        people, names = self._api.people() if tasks else {}, class_names(project.label_config)
        answers = []
        for question, raw in tasks.items():
            url = f"{self.url}/projects/{project.id}/data?task={raw['id']}"
            given = list(annotations[question].values())
            answer = to_answer(raw, given, people, names, self._resolve, url)
            if answer is not None and not _is_known(answer, wanted[question]):
                answers.append(answer)
        return answers

    def missing(self, asked: Collection[AskedFrame]) -> set[str]:
        """Which of these frames the project lacks, for example because tasks were deleted.

        Raises:
            LabelerError: The server cannot be reached.
        """
        project = self._api.project(self._title)
        there = {} if project is None else self._tasks(project.id)
        return {one.digest for one in asked if (one.digest, one.asks) not in there}

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

        May be repeated. A project that has yet to be created, or created again, gets it then.

        Args:
            url: Address at which the server reaches us.
            secret: What `labeling.webhook.verify.is_genuine` looks for in the headers.

        Raises:
            LabelerError: The server cannot be reached, or refuses the address.
        """
        self._hook = (url, {SECRET_HEADER: secret.get_secret_value()})
        if (project := self._api.project(self._title)) is not None:
            self._api.hook(project.id, *self._hook)

    def _existing(self) -> "Project":
        if (project := self._api.project(self._title)) is None:
            raise LabelerRefused(
                f"Label Studio at {self._api.shown} has no project {self._title!r} any more; "
                "pushing frames makes it again"
            )
        return project

    def _project(self, names: Sequence[str]) -> "tuple[Project, RectangleControl]":
        """Create or update the project; returns it, and where boxes are drawn in it.

        Args:
            names: Class names that its interface must have; it keeps those that it has.
        """
        classes = list(dict.fromkeys(names))
        annotators = self._resolve.annotators if isinstance(self._resolve, Agreement) else 1
        is_new = self._api.project(self._title) is None
        if is_new:
            self._api.make_project(self._title, label_config(classes), annotators)
        project = self._existing()
        if is_new and self._hook is not None:
            self._api.hook(project.id, *self._hook)
        config = project.label_config
        is_set_up = config.replace(" ", "") not in _NEVER_SET_UP
        config = with_labels(config, classes) if is_set_up else label_config(classes)
        if config != project.label_config:
            self._api.change_project(project.id, label_config=config)
        if project.annotators < annotators:
            self._api.change_project(project.id, maximum_annotations=annotators)
        return project, find_control(config, classes)

    def _tasks(self, project: int) -> dict[_Question, dict[str, Any]]:
        """The project's tasks by what they ask."""
        found = self._api.tasks(project)
        return {(digest, ask_of(raw)): raw for raw in found if (digest := digest_of(raw)) is not None}

    def _annotated(
        self, project: "Project", wanted: Collection[_Question]
    ) -> tuple[dict[_Question, dict[str, Any]], dict[_Question, dict[int, Any]]]:
        """The annotated tasks among those wanted, and their annotations by id."""
        tasks: dict[_Question, dict[str, Any]] = {}
        annotations: dict[_Question, dict[int, Any]] = {}
        for raw in self._api.annotated(project.id):
            question = (digest_of(raw) or "", ask_of(raw) if digest_of(raw) else 0)
            if question in wanted:
                tasks.setdefault(question, raw)
                given = {one["id"]: one for one in raw.get("annotations") or []}
                annotations.setdefault(question, {}).update(given)
        return tasks, annotations

    def _withdraw(self, frame: FrameRecord, there: Mapping[_Question, Mapping[str, Any]]) -> None:
        """Delete earlier tasks of a frame that is asked anew; those with an answer stay."""
        for ask in range(frame.asks):
            raw = there.get((frame.digest, ask))
            if raw is not None and not raw["total_annotations"] and not raw["cancelled_annotations"]:
                self._api.delete_task(int(raw["id"]))

    def _import(
        self,
        project: "Project",
        control: RectangleControl,
        frames: Sequence[FrameRecord],
        faults: list[Exception],
    ) -> list[FrameRecord]:
        """Import a batch; returns the imported frames, and appends a fault for each other."""
        until = self._images.until(datetime.now(UTC)) if isinstance(self._images, ByUrl) else ""
        if isinstance(self._images, ByUrl | LocalFiles):
            urls: Mapping[str, str] = {f.digest: self._images.url(f.image_key) for f in frames}
            if isinstance(self._images, LocalFiles):
                self._api.serve_folder(project.id, str(self._images.folder))
        else:
            jpegs = self._jpegs(frames, faults)
            urls = self._api.upload(project.id, jpegs) if jpegs else {}
        batch = [frame for frame in frames if frame.digest in urls]
        if batch:
            requests = [to_request(frame, urls[frame.digest], control, until) for frame in batch]
            self._api.add_tasks(project.id, requests)
            if project.model_version != SHOWN:  # refused while there is no such prediction
                self._api.change_project(project.id, model_version=SHOWN)
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


def _is_known(answer: Answer, asked: AskedFrame) -> bool:
    return asked.answered_at is not None and answer.at in {asked.answered_at, None}
