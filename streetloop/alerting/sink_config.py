"""Event sinks as the camera file has them: ``sinks: {NAME: {type: webhook, url: ...}}``."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from streetloop.alerting.sink_uri import SinkUri, fill_variables, has_variable, refuse_bad_uri
from streetloop.errors import ConfigError
from streetloop.secrets import SecretUri

EVENTS_TOPIC = "streetloop.events"
"""Topic of a Kafka sink that names none."""
DETECTIONS_TOPIC = "streetloop.detections"
"""Topic of the detections of a Kafka sink that names none."""
MQTT_PREFIX = "streetloop"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ADDRESS = re.compile(r"[^@\s,<>]{1,64}@[^@\s,<>]{1,190}")
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_MOST_SINKS = 20
_KEYS_OF_TYPES: Mapping[str, tuple[str, ...]] = {
    "topic": ("mqtt", "kafka"),
    "secret": ("webhook",),
    "discovery": ("mqtt",),
    "detections": ("mqtt", "kafka"),
    "detection_fps": ("mqtt", "kafka"),
    "detection_topic": ("kafka",),
    "sender": ("email",),
    "to": ("email",),
}

SinkType: TypeAlias = Literal["webhook", "mqtt", "kafka", "email"]
Words: TypeAlias = tuple[Annotated[str, Field(min_length=1, max_length=64)], ...]


def _as_uri(value: object) -> SinkUri:
    if isinstance(value, SecretUri):
        return SinkUri(value.reveal())
    if not isinstance(value, str) or not value:
        raise ValueError("must be an address such as https://host/path")
    return SinkUri(value)


class EventSinkConfig(BaseModel):
    """One event sink.

    Attributes:
        type: ``webhook``, ``mqtt``, ``kafka`` or ``email``.
        url: Where it is; printed without user, path and query.
        kinds: Only events of these kinds; None for all.
        cameras: Only events of cameras with these ids; None for all, and for events of no camera.
        rate_limit: Most sends a minute; what comes faster waits. None for no limit. Of e-mail,
            where one send carries all that waits, 2 where nothing is said.
        timeout_s: How long a send may take, in seconds. Higher bears a slower receiver; one that
            hangs is noticed later.
        topic: Of Kafka, the topic of events; of MQTT, the first part of all topics.
        secret: Of a webhook, the key of the signature; None signs nothing.
        discovery: Of MQTT, the prefix of Home Assistant's discovery; None announces nothing.
        detections: Of MQTT and Kafka, whether detections are sent, too.
        detection_fps: Frames a second of each camera whose detections are sent, at most, 0.001 to
            1000. Higher shows more of the movement, and sends more.
        detection_topic: Of Kafka, the topic of detections.
        sender: Of e-mail, the address in From; ``from`` in the file.
        to: Of e-mail, the addresses in To.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    type: SinkType
    url: Annotated[SinkUri, BeforeValidator(_as_uri)]
    kinds: Words | None = Field(default=None, min_length=1, max_length=100)
    cameras: Words | None = Field(default=None, min_length=1, max_length=10_000)
    rate_limit: float | None = Field(default=None, gt=0, le=60_000)
    timeout_s: float = Field(default=10.0, ge=0.1, le=120)
    topic: str | None = None
    secret: SecretStr | None = Field(default=None, min_length=1)
    discovery: str | None = None
    detections: bool = False
    detection_fps: float = Field(default=1.0, ge=0.001, le=1000)
    detection_topic: str | None = None
    sender: str | None = Field(default=None, alias="from")
    to: tuple[str, ...] = ()

    @field_validator("topic", "discovery", "detection_topic")
    @classmethod
    def _is_a_topic(cls, value: str | None) -> str | None:
        if value is not None and not _TOPIC.fullmatch(value):
            raise ValueError("has letters, digits, '.', '_', '-' and '/' only, at most 200")
        return value

    @field_validator("sender", "to")
    @classmethod
    def _are_addresses(cls, value: Any) -> Any:
        for address in (value,) if isinstance(value, str) else value or ():
            if not _ADDRESS.fullmatch(address):
                raise ValueError("is no e-mail address; write name@host")
        return value

    @model_validator(mode="after")
    def _fits_its_type(self) -> "EventSinkConfig":
        for key, types in _KEYS_OF_TYPES.items():
            if key in self.model_fields_set and self.type not in types:
                shown = "from" if key == "sender" else key
                raise ValueError(f"{shown}: is for type {' and '.join(types)}, not for {self.type}")
        for key in ("detection_fps", "detection_topic"):
            if key in self.model_fields_set and not self.detections:
                raise ValueError(f"{key}: needs detections: true")
        if self.type == "email" and not (self.sender and self.to):
            raise ValueError("from and to: an e-mail needs both")
        if not has_variable(self.url.reveal()):
            refuse_bad_uri(self.url, self.type)
        return self


EventSinks: TypeAlias = Mapping[str, EventSinkConfig]


def parse_sinks(raw: object) -> dict[str, EventSinkConfig]:
    """The ``sinks:`` of a camera file.

    >>> parse_sinks({"ops": {"type": "webhook", "url": "ftp://host"}})
    Traceback (most recent call last):
    ...
    ValueError: 'ops': url: begins with http:// or https:// for type webhook

    Raises:
        ValueError: Something is wrong; the message has a line a mistake, which names the sink and
            the key, and shows no value.
    """
    if not isinstance(raw, Mapping):
        raise ValueError("must be a mapping of names, such as {ops: {type: webhook, url: ...}}")  # noqa: TRY004
    if len(raw) > _MOST_SINKS:
        raise ValueError(f"more than {_MOST_SINKS}")
    found: dict[str, EventSinkConfig] = {}
    faults: list[str] = []
    for name, values in raw.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            faults.append("a name has 1 to 64 letters, digits, '.', '_' or '-'")
            continue
        try:
            found[name] = EventSinkConfig.model_validate(values)
        except ValidationError as error:
            faults += [f"{name!r}: {sentence}" for sentence in _sentences(error)]
    if faults:
        # Outside of `except`: the vendor's message shows the input, which may hold a password.
        raise ValueError("\n".join(faults))
    return found


def resolve_sinks(sinks: EventSinks, environment: Mapping[str, str]) -> dict[str, EventSinkConfig]:
    """The sinks with the values of ``${NAME}`` in the place of variables.

    Args:
        sinks: As the camera file has them.
        environment: Variables by name.

    Raises:
        ConfigError: A variable is not set, or its value makes no address; the message names the
            sink and the variable.
    """
    return {name: _resolved(name, sink, environment) for name, sink in sinks.items()}


def _resolved(name: str, sink: EventSinkConfig, environment: Mapping[str, str]) -> EventSinkConfig:
    try:
        uri = SinkUri(fill_variables(sink.url.reveal(), environment, in_uri=True))
        secret = sink.secret
        if secret is not None:
            secret = SecretStr(fill_variables(secret.get_secret_value(), environment))
        refuse_bad_uri(uri, sink.type)
    except KeyError as error:
        # `from None`: the variable is named here.
        raise ConfigError(f"sink {name!r}: the environment variable {error.args[0]} is not set") from None
    except ValueError as error:
        raise ConfigError(f"sink {name!r}: {error}") from None
    return sink.model_copy(update={"url": uri, "secret": secret})


def _sentences(error: ValidationError) -> list[str]:
    return [_sentence(fault) for fault in error.errors(include_input=False, include_url=False)]


def _sentence(fault: ErrorDetails) -> str:
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = ", ".join("from" if name == "sender" else name for name in EventSinkConfig.model_fields)
        return f"unknown key {path!r}; known are {known}"
    if fault["type"] == "missing":
        return f"{path!r} is missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{path + ': ' if path else ''}{message[:1].lower() + message[1:]}"
