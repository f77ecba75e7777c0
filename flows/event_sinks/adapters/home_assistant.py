"""Home Assistant's MQTT discovery: a device a camera, with its connection and its events."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from streetloop.ledger.alerts.event_changes import ACKNOWLEDGED, BEGIN, END

_SIGNS = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A retained message that describes an entity.

    Attributes:
        topic: Where it goes.
        document: The description, JSON.
    """

    topic: str
    document: dict[str, Any]


class Discovery:
    """Describes each entity once a connection.

    Reference: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery

    Args:
        prefix: Home Assistant's discovery prefix, ``homeassistant`` unless it was changed there.
        root: The first part of our own topics.
    """

    def __init__(self, prefix: str, root: str) -> None:
        self._prefix, self._root = prefix, root
        self._told: set[str] = set()

    def camera(self, camera: str) -> Announcement | None:
        """The connection of a camera; None if it is described already."""
        extra = {"payload_on": "online", "payload_off": "offline", "device_class": "connectivity"}
        return self._once("binary_sensor", camera, "connection", f"{camera}/state", extra)

    def kind(self, camera: str, kind: str) -> Announcement | None:
        """Events of a kind; None if they are described already."""
        extra = {
            "event_types": [BEGIN, END, ACKNOWLEDGED],
            "value_template": '{"event_type": "{{ value_json.change }}"}',
        }
        return self._once("event", camera, kind, f"{camera}/events/{kind}", extra)

    def forget(self) -> None:
        """Describe everything again: the broker may have lost what it retained."""
        self._told.clear()

    def _once(
        self, component: str, camera: str, entity: str, topic: str, extra: dict[str, Any]
    ) -> Announcement | None:
        device = f"streetloop_{_object_id(camera)}"
        where = f"{self._prefix}/{component}/{device}/{_object_id(entity)}/config"
        if where in self._told:
            return None
        self._told.add(where)
        document = {
            "name": entity.replace("_", " "),
            "unique_id": f"{device}_{_object_id(entity)}",
            "state_topic": f"{self._root}/{topic}",
            "availability_topic": f"{self._root}/availability",
            "device": {"identifiers": [device], "name": camera, "manufacturer": "streetloop"},
            **extra,
        }
        return Announcement(where, document)


def _object_id(name: str) -> str:
    """A name in the signs that Home Assistant allows; different names stay different."""
    plain = _SIGNS.sub("_", name)
    return plain if plain == name else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
