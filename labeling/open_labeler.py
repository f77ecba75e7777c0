"""Opens the labeler that the settings name, and hands frames to it."""

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from labeling.annotators import NEWEST, Agreement
from labeling.app_labeler import AppLabeler
from labeling.label_studio.adapter import LabelStudio
from labeling.label_studio.image_links import UPLOADED, ByUrl, Images
from labeling.labeler import Labeler
from labeling.local_server.server import LocalServer
from labeling.oracle_labeler import Flaws, OracleLabeler
from labeling.queue import ReviewQueue
from labeling.selection import Drift
from labeling.teacher.ledger_checks import LedgerChecks
from labeling.teacher.teacher_labeler import Teacher, TeacherLabeler, TeacherPolicy
from labeling.teacher.trust import TrustPolicy
from streetloop.clock import Clock, SystemClock
from streetloop.errors import ConfigError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.settings import Settings
from streetloop.storage.s3_access import LINK_LIFETIME
from streetloop.storage.store import ObjectStore


def open_labeler(
    settings: Settings,
    store: ObjectStore,
    queue: ReviewQueue,
    clock: Clock | None = None,
    teacher: Teacher | None = None,
) -> Labeler | None:
    """Open the labeler that the settings name; None if they name none.

    Args:
        settings: Name the labeler, and how to reach it.
        store: Holds the frames' JPEGs.
        queue: Finds the frames of a digest.
        clock: Time; None for the system's.
        teacher: The model that teaches, where the labeler is one.

    Raises:
        ConfigError: The labeler is Label Studio, and no server or token is known.
    """
    if settings.labeler == "none":
        return None
    clock = clock or SystemClock()
    if settings.labeler != "teacher":
        return _open_people(settings.labeler, settings, store, queue, clock)
    assert teacher is not None
    people = _open_people(settings.teacher_people, settings, store, queue, clock)
    policy = TeacherPolicy(TrustPolicy(settings.teacher_level), settings.teacher_confidence)
    checks = LedgerChecks(queue.ledger, teacher.name)
    return TeacherLabeler(teacher, people, checks, policy, clock, queue.find)


def _open_people(
    name: str, settings: Settings, store: ObjectStore, queue: ReviewQueue, clock: Clock
) -> Labeler:
    if name == "app":
        return AppLabeler(queue.ledger)
    if name == "oracle":
        share = settings.oracle_errors / 3
        flaws = Flaws(settings.oracle_delay_s, missed=share, wrong_class=share, jitter=share)
        return OracleLabeler(clock, flaws, queue.find)
    url, token = _label_studio(settings)
    people = settings.label_annotators
    resolve = NEWEST if people == 1 else Agreement(people)
    from streetloop.storage.minio import MinioStore  # its SDK takes a fifth of a second

    images: Images = UPLOADED
    if isinstance(store, MinioStore):
        images = ByUrl(store.link, LINK_LIFETIME)
    return LabelStudio(url, token, settings.label_project, store, images, resolve)


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
    """Push pending frames, and again those that the labeler has lost; returns how many.

    Raises:
        LabelerError: Not all could be handed over; the rest stays pending.
    """
    people = labeler.people if isinstance(labeler, TeacherLabeler) else labeler
    if isinstance(people, LabelStudio):
        queue.ask_again(people.missing(queue.waiting()))
        people.renew(queue.asked)
    return queue.push(labeler)


def drifting(ledger: Ledger) -> dict[str, Drift]:
    """Drift by camera, of the open findings that ask for labels.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    findings = list_findings(ledger, only_open=True)
    return {f.camera_id: Drift(f.causes[0].name, f.since) for f in findings if f.asks_for_labels}


def start_server(home: Path, port: int, say: Callable[[str], None]) -> dict[str, str]:
    """Start Label Studio on this machine; returns the credentials to log in with.

    Args:
        home: Its data is in ``home/labelstudio``.
        port: To listen on.
        say: Shows progress.

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
