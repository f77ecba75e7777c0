"""The settings: read once, by the command line, and handed to everything else."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from streetloop.counted_classes import ClassGroups, is_one_line
from streetloop.errors import ConfigError
from streetloop.local_time import open_zone
from streetloop.setting_types import Anonymise, BandSetting, Keep, KeepDays
from streetloop.sqlite_url import sqlite_url

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w=-][\w.=-]*)*/?", re.ASCII)

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?", re.ASCII | re.IGNORECASE)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/", re.ASCII)
_FIELD = re.compile(r'field "(?P<name>\w+)"')
_WAY_OUT = "correct the variable, or unset it to use the default"

PEOPLE = ("none", "oracle", "label-studio", "app")
LABELERS = (*PEOPLE, "teacher")
BASELINE = "baseline"
"""The shipped model, trained on the simulated city by day."""


class Settings(BaseSettings):
    """Everything that can be set, by environment variables such as ``STREETLOOP_HOME``.

    The ``settings:`` of the camera file override the environment; a flag overrides both.
    """

    model_config = SettingsConfigDict(
        env_prefix="STREETLOOP_", extra="ignore", frozen=True, env_ignore_empty=True, allow_inf_nan=False
    )

    home: Path = Field(default=Path(".streetloop"), description="folder of all state")
    timezone: str = Field(
        default="UTC",
        description="IANA time zone of count bins, schedules, reports and the app, as Europe/Berlin",
    )
    model: str = Field(default=BASELINE, description="model file, registry version or name")
    backend: str = Field(default="auto", pattern="^(auto|onnx|openvino|torch)$")
    precision: str = Field(
        default="auto", pattern="^(auto|fp32|bf16)$", description="number format that the network computes in"
    )
    image_size: int = Field(default=640, ge=32, le=4096, multiple_of=32)
    confidence: float = Field(
        default=0.25, gt=0, le=1, description="minimum confidence of a logged or counted box"
    )
    track_floor: float = Field(
        default=0.1, gt=0, le=1, description="minimum confidence of a box that may extend a track"
    )
    classes: ClassGroups | None = Field(
        default=None, description="the model's classes to track and count, by the name they count under"
    )
    staleness_s: float = Field(
        default=0.5, ge=0.001, le=60, description="age at which a waiting frame is dropped"
    )
    stall_s: float = Field(
        default=2.2, ge=0.5, le=600, description="silence after which a network stream is lost"
    )
    max_batch: int = Field(default=8, ge=1, le=256, description="maximum frames of a detector call")
    gate: bool = Field(default=True, description="skip the detector while nothing moves")
    keyframe_s: float = Field(
        default=2.0, ge=0.001, description="longest time that the gate keeps a camera from the detector"
    )
    cameras_per_worker: int = Field(default=8, ge=1, le=256)
    threads: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, description="detector threads on a CPU"
    )
    replicas_min: int = Field(default=1, ge=1, le=64, description="replicas of an application at least")
    replicas_max: int = Field(
        default=1, ge=1, le=64, description="replicas that an overloaded application may have"
    )
    gpus_per_replica: float = Field(default=1.0, gt=0, le=16, description="GPUs of a replica, or a part")
    detector_timeout_s: float = Field(default=30.0, ge=0.001)
    drift: bool = Field(default=True, description="watch every camera for drift")
    drift_period_s: float = Field(
        default=60.0, ge=0.5, le=3600, description="length of a drift period, in seconds of stream"
    )
    drift_sample_s: float = Field(
        default=2.0, ge=0.001, description="time between the frames that drift measures"
    )
    drift_days: float = Field(
        default=60.0, gt=0, le=36500, description="expected days between two false alarms of a camera"
    )
    triage: bool = Field(default=True, description="select frames worth labeling")
    triage_period_s: float = Field(
        default=10.0, ge=0.001, description="length of a period; its least certain frame is a candidate"
    )
    triage_random: float = Field(
        default=4.0, ge=0, le=36000, description="random candidates per camera and hour"
    )
    label_bands: dict[str, BandSetting] = Field(
        default={}, description="by class: where the model is unsure, and the weight of the class"
    )
    label_budget: int = Field(default=100, ge=0, le=100_000, description="frames to label a day")
    label_every_s: float = Field(
        default=600.0, ge=1, description="time between two rounds of choosing, pushing and pulling"
    )
    labeler: str = Field(default="none", pattern=f"^({'|'.join(LABELERS)})$")
    teacher_model: str | None = Field(
        default=None, min_length=1, description="of labeler teacher: model file or version that teaches"
    )
    teacher_people: str = Field(
        default="label-studio",
        pattern=f"^({'|'.join(PEOPLE[1:])})$",
        description="labeler of what the teacher does not know",
    )
    teacher_level: float = Field(
        default=0.95, gt=0, lt=1, description="precision of a class that the teacher labels alone"
    )
    teacher_confidence: float = Field(
        default=0.5, ge=0.25, lt=1, description="confidence from which the teacher is sure of a box"
    )
    label_hook_port: int = Field(
        default=8091, ge=0, le=65535, description="port for Label Studio's webhook; 0: off"
    )
    label_hook_host: str = Field(default="127.0.0.1", min_length=1)
    label_hook_url: str | None = Field(
        default=None, pattern="^https?://", description="URL of the webhook, as Label Studio reaches it"
    )
    learn: bool = Field(default=False, description="train and roll out new models unattended")
    learn_labels: int = Field(default=50, ge=1, le=100_000, description="new labels that start a training")
    learn_drift_labels: int = Field(
        default=40, ge=1, le=100_000, description="labels of a drift that start its training"
    )
    learn_cron: str | None = Field(
        default=None, description="schedule of trainings on new labels, such as '30 3 * * *'"
    )
    learn_city_cron: dict[str, str] = Field(
        default={}, description="by city: schedule of its own trainings on its cameras' new labels"
    )
    learn_recipe: dict[str, Any] = Field(
        default={}, description="training options by their Ultralytics names"
    )
    learn_rest_h: float = Field(
        default=12.0, ge=0, le=8760, description="minimum hours between two learning runs"
    )
    learn_per_day: int = Field(default=2, ge=0, le=1000, description="maximum learning runs a day")
    oracle_delay_s: float = Field(default=0.0, ge=0, description="time that the oracle takes to answer")
    oracle_errors: float = Field(
        default=0.0, ge=0, le=1, description="share of objects that the oracle labels wrongly"
    )
    label_studio_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Label Studio; default: the one of `streetloop labelstudio up`",
    )
    label_studio_token: SecretStr | None = Field(default=None, min_length=1)
    label_project: str = Field(default="streetloop", min_length=3, max_length=50)
    label_annotators: int = Field(
        default=1, ge=1, le=10, description="people who must agree on a frame; 1: the newest wins"
    )
    store_url: str | None = Field(
        default=None, description="object store: a folder, or s3://bucket[/prefix]; default: a folder in home"
    )
    s3_endpoint: str | None = Field(default=None, description="address of MinIO or another S3")
    s3_public_endpoint: str | None = Field(default=None, description="the same, as browsers reach it")
    s3_region: str = Field(default="us-east-1", min_length=1)
    s3_access_key: SecretStr | None = Field(default=None, min_length=1)
    s3_secret_key: SecretStr | None = Field(default=None, min_length=1)
    log_flush_s: float = Field(
        default=30.0, ge=0.001, description="maximum seconds of detections that a crash can lose"
    )
    record_segment_s: float = Field(
        default=60.0, ge=1, le=1800, description="length of a recorded segment; it ends at a key frame"
    )
    anonymise: Anonymise = Field(
        default="off", description="blurs heads and plates in stored pictures, label tasks and exports"
    )
    archive_keep: Keep = Field(
        default={}, description="by class of recorded video: days and gigabytes of a camera that are kept"
    )
    keep_days: KeepDays = Field(
        default={}, description="by class of what is not video: days after which it is removed"
    )
    archive_prune_h: float = Field(
        default=1.0, gt=0, le=720, description="time between two removals of old video while streams run"
    )
    record_pre_s: float = Field(
        default=10.0, ge=0, le=600, description="what is kept before motion or an event"
    )
    record_post_s: float = Field(
        default=20.0, ge=0, le=600, description="what is kept after motion or an event"
    )
    record_spool_mb: int = Field(
        default=4000, ge=1, description="maximum size of segments in home that wait for the object store"
    )
    record_reserve_mb: int = Field(
        default=500, ge=0, description="free space of the disk below which recording rests"
    )
    tracking_uri: SecretStr | None = Field(
        default=None, min_length=1, description="MLflow server; default: SQLite in home"
    )
    registry_name: str = Field(
        default="detector", pattern="^[A-Za-z0-9._-]{1,64}$", description="model in the registry"
    )
    ledger_url: SecretStr | None = Field(
        default=None, min_length=1, description="database of the ledger; default: SQLite in home"
    )
    app_host: str = Field(default="127.0.0.1", min_length=1, description="where the app listens")
    app_port: int = Field(default=8000, ge=0, le=65535, description="its TCP port; 0: no app")
    api_token: SecretStr | None = Field(
        default=None, min_length=1, description="admin's token of the API and the app"
    )
    operator_token: SecretStr | None = Field(
        default=None, min_length=1, description="operator's token: all but changing cameras"
    )
    viewer_token: SecretStr | None = Field(default=None, min_length=1, description="viewer's token: reads")
    public_url: str | None = Field(
        default=None, description="address at which browsers reach the app behind a proxy"
    )

    log_format: str = Field(
        default="auto",
        pattern="^(auto|text|json)$",
        description="of what run, up and serve say on standard error; auto: text on a terminal, else JSON",
    )
    otlp_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="OTLP/HTTP endpoint of spans; default: OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    llm_url: str | None = Field(
        default=None,
        pattern="^(https?://.*|local)$",
        description="OpenAI-compatible endpoint that words reports; local: a small model on this machine",
    )
    llm_key: SecretStr | None = Field(default=None, min_length=1, description="its key")
    llm_model: str = Field(
        default="default", min_length=1, max_length=200, description="its model; of local: a .gguf file"
    )

    @field_validator("home")
    @classmethod
    def _of_a_user(cls, value: Path) -> Path:
        if str(value)[:1] in {'"', "'", "$"}:  # as a file of variables hands it on
            raise ValueError("begins with a quote or a $, which nobody has replaced; write the folder alone")
        if not is_one_line(str(value)):
            raise ValueError("has a line break, another control character, or bytes that are not UTF-8")
        return _without_tilde(value)  # quoted, or in a service file: no shell has replaced it

    @field_validator("timezone")
    @classmethod
    def _a_zone(cls, value: str) -> str:
        open_zone(value)
        return value

    @field_validator("learn_cron")
    @classmethod
    def _a_schedule(cls, value: str | None) -> str | None:
        if value is not None:
            _refuse_no_cron(value)
        return value

    @field_validator("learn_city_cron")
    @classmethod
    def _schedules(cls, value: dict[str, str]) -> dict[str, str]:
        for city, cron in value.items():
            _refuse_no_cron(cron, f"{city}: ")
        return value

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not _ORIGIN.fullmatch(value):
            raise ValueError("write https://name or https://name:port, without a path")
        return None if value is None else value.rstrip("/").lower()

    @field_validator("store_url")
    @classmethod
    def _understood(cls, value: str | None) -> str | None:
        if value is None or _BUCKET.fullmatch(value):
            return value
        if _SCHEME.match(value) or not value.strip():
            raise ValueError("write a folder, or s3://bucket[/prefix]")
        return str(_without_tilde(Path(value)).absolute())  # other processes have other working folders

    @property
    def most_replicas(self) -> int:
        """Replicas that an application may have; never less than the least."""
        return max(self.replicas_min, self.replicas_max)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of bins, schedules, reports and the app."""
        return open_zone(self.timezone)

    @property
    def people(self) -> str:
        """The labeler that answers what no teacher does."""
        return self.teacher_people if self.labeler == "teacher" else self.labeler

    @property
    def store(self) -> Path:
        """Folder of the embedded object store; see `open_store` for others."""
        return self.home / "store"

    @property
    def models(self) -> Path:
        """Folder of exported models, by content hash."""
        return self.home / "models"

    @property
    def tracking(self) -> str:
        """URI of MLflow's tracking and registry; may hold a password."""
        if self.tracking_uri is not None:
            return self.tracking_uri.get_secret_value()
        return sqlite_url(self.home / "mlflow" / "mlflow.db")

    @property
    def ledger(self) -> str:
        """URL of the ledger's database; may hold a password."""
        if self.ledger_url is not None:
            return self.ledger_url.get_secret_value()
        return sqlite_url(self.home / "ledger.db")


def _refuse_no_cron(value: str, where: str = "") -> None:
    try:
        CronSim(value, datetime.now(UTC))
    except CronSimError as error:
        raise ValueError(f"{where}is no cron expression of five fields: {error}") from None


def read_settings(**values: Any) -> Settings:
    """The settings of the environment, with ``values`` over them.

    Raises:
        ConfigError: Some are wrong. The message has a line for each, which names the setting, or
            its variable, and does not show its value.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        # `from None`: the vendor's message shows the value, which may be a token.
        faults = error.errors(include_input=False, include_url=False)
        raise ConfigError("\n".join(_sentence(fault, values) for fault in faults)) from None
    except SettingsError as error:
        found = _FIELD.search(str(error))
        name = found["name"] if found else "*"
        raise ConfigError(f"{_variable(name)}: the value is not JSON; {_WAY_OUT}") from None


def change_settings(settings: Settings, **values: Any) -> Settings:
    """The same settings but for ``values``; None changes nothing.

    Raises:
        ConfigError: One of the values is wrong; the message names the setting.
    """
    known = {name: getattr(settings, name) for name in settings.model_fields_set}
    return read_settings(**known | {name: value for name, value in values.items() if value is not None})


def misspelled(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that is nearly one of a setting, and has no effect.

    >>> misspelled({"STREETLOOP_CONFIDENSE": "0.5", "STREETLOOP_PORT_80_TCP": "set by Kubernetes"})
    ['STREETLOOP_CONFIDENSE has no effect; do you mean STREETLOOP_CONFIDENCE?']
    """
    known = {_variable(name) for name in Settings.model_fields}
    found = []
    for name in environ:
        if name.upper() not in known and name.startswith("STREETLOOP_"):
            near = get_close_matches(name, known, n=1, cutoff=0.9)
            found += [f"{name} has no effect; do you mean {near[0]}?"] if near else []
    return found


def _sentence(fault: ErrorDetails, values: Mapping[str, Any]) -> str:
    name, *within = (str(part) for part in fault["loc"])
    why = fault["msg"].removeprefix("Value error, ")
    if name in values:
        return f"setting {'.'.join([name, *within])!r}: {why}"
    where = ": ".join([_variable(name), *([".".join(within)] if within else [])])
    return f"{where}: {why}; {_WAY_OUT}"


def _without_tilde(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("begins with ~ and the name of a user who has no home; write it out") from None


def _variable(setting: str) -> str:
    return f"STREETLOOP_{setting.upper()}"
