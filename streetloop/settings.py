"""The settings: read once, by the command line, and handed to everything else."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from streetloop.counted_classes import ClassGroups
from streetloop.errors import ConfigError
from streetloop.local_time import open_zone
from streetloop.sqlite_url import sqlite_url

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w=-][\w.=-]*)*/?", re.ASCII)

_FIELD = re.compile(r'field "(?P<name>\w+)"')
_WAY_OUT = "correct the variable, or unset it to use the default"

LABELERS = ("none", "oracle", "label-studio")
BASELINE = "baseline"
"""The shipped model, trained on the simulated city by day."""


class BandSetting(BaseModel):
    """Confidences between which the model is unsure of a class; see `labeling.scoring.Band`.

    Attributes:
        low: Lower end, 0 to 1; a box below it is noise. Lower values choose more frames.
        high: Upper end, 0 to 1; above it the model is sure. Higher values choose more frames.
        weight: Weight of the class, 0 to 100; 1 is the default, 0 ignores the class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float = Field(default=0.25, ge=0, le=1)
    high: float = Field(default=0.6, ge=0, le=1)
    weight: float = Field(default=1.0, ge=0, le=100)

    @model_validator(mode="after")
    def _rises(self) -> "BandSetting":
        if self.low >= self.high:
            raise ValueError(f"low must be less than high; they are {self.low} and {self.high}")
        return self


class Settings(BaseSettings):
    """Everything that can be set, by environment variables such as ``STREETLOOP_HOME``.

    The ``settings:`` of the camera file override the environment; a flag overrides both.
    """

    model_config = SettingsConfigDict(
        env_prefix="STREETLOOP_", extra="ignore", frozen=True, env_ignore_empty=True
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
        default=0.5, gt=0, le=60, description="age at which a waiting frame is dropped"
    )
    stall_s: float = Field(
        default=2.2, ge=0.5, le=600, description="silence after which a network stream is lost"
    )
    max_batch: int = Field(default=8, ge=1, le=256, description="maximum frames of a detector call")
    gate: bool = Field(default=True, description="skip the detector while nothing moves")
    keyframe_s: float = Field(
        default=2.0, gt=0, description="longest time that the gate keeps a camera from the detector"
    )
    cameras_per_worker: int = Field(default=8, ge=1, le=256)
    threads: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, description="detector threads on a CPU"
    )
    detector_timeout_s: float = Field(default=30.0, gt=0)
    drift: bool = Field(default=True, description="watch every camera for drift")
    drift_period_s: float = Field(
        default=60.0, ge=0.5, le=3600, description="length of a drift period, in seconds of stream"
    )
    drift_sample_s: float = Field(
        default=2.0, gt=0, description="time between the frames that drift measures"
    )
    drift_days: float = Field(
        default=60.0, gt=0, le=36500, description="expected days between two false alarms of a camera"
    )
    triage: bool = Field(default=True, description="select frames worth labeling")
    triage_period_s: float = Field(
        default=10.0, gt=0, description="length of a period; its least certain frame is a candidate"
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
        default=None, description="Label Studio; default: the one of `streetloop labelstudio up`"
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
        default=30.0, gt=0, description="maximum seconds of detections that a crash can lose"
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
        default=None, min_length=1, description="bearer token of the HTTP API"
    )

    @field_validator("timezone")
    @classmethod
    def _a_zone(cls, value: str) -> str:
        open_zone(value)
        return value

    @field_validator("learn_cron")
    @classmethod
    def _a_schedule(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                CronSim(value, datetime.now(UTC))
            except CronSimError as error:
                raise ValueError(f"is no cron expression of five fields: {error}") from None
        return value

    @field_validator("store_url")
    @classmethod
    def _understood(cls, value: str | None) -> str | None:
        if value is None or _BUCKET.fullmatch(value):
            return value
        if "://" in value or not value.strip():
            raise ValueError("write a folder, or s3://bucket[/prefix]")
        return str(Path(value).absolute())  # other processes have other working folders

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of bins, schedules, reports and the app."""
        return open_zone(self.timezone)

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


def read_settings(**values: Any) -> Settings:
    """The settings of the environment, with ``values`` over them.

    Raises:
        ConfigError: One of them is wrong. The message names the setting, or its variable, and does
            not show its value.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        # `from None`: the vendor's message shows the value, which may be a token.
        first = error.errors(include_input=False, include_url=False)[0]
        name, *within = (str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        if name in values:
            raise ConfigError(f"setting {'.'.join([name, *within])!r}: {why}") from None
        where = ": ".join([_variable(name), *([".".join(within)] if within else [])])
        raise ConfigError(f"{where}: {why}; {_WAY_OUT}") from None
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


def _variable(setting: str) -> str:
    return f"STREETLOOP_{setting.upper()}"
