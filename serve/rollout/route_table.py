"""Route table: which application answers for which camera. Workers follow it."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CHAMPION = "champion"
"""Application of the champion, except where a city has one of its own."""

CHALLENGER = "challenger"
"""Application of the challenger."""


@dataclass(frozen=True, slots=True)
class RouteTable:
    """An immutable route table; a new one replaces the old one as a whole.

    Attributes:
        number: Rises with each change.
        champion_applications: Application of a city's own champion by camera, where it has one.
        compared: Cameras that take part in a rollout.
        challenged: Those of them that the challenger serves.
        sample: Share of the batches of compared cameras that both models answer, 0 to 1.
        block_s: Media time in seconds whose frames count as one value of the gain.
    """

    number: int = 0
    champion_applications: Mapping[str, str] = field(default_factory=dict)
    compared: frozenset[str] = frozenset()
    challenged: frozenset[str] = frozenset()
    sample: float = 0.0
    block_s: float = 20.0

    def champion_application(self, camera_id: str) -> str:
        """Application of the camera's champion."""
        return self.champion_applications.get(camera_id, CHAMPION)

    def application(self, camera_id: str) -> str:
        """Application that serves the camera now."""
        return CHALLENGER if camera_id in self.challenged else self.champion_application(camera_id)


def leaders(cameras: Iterable[str], share: float) -> frozenset[str]:
    """Choose the cameras that a challenger serves: at least one, and the same ones every time.

    They are ordered by a hash, so that a larger share contains a smaller one.

    Args:
        cameras: Cameras to choose from.
        share: Share of the cameras, 0 to 1; rounded up to whole cameras.

    >>> sorted(leaders(["a", "b", "c", "d"], 0.5)), len(leaders(["a", "b", "c", "d"], 0.05))
    (['c', 'd'], 1)
    """
    order = sorted(cameras, key=lambda camera: hashlib.sha256(camera.encode()).digest())
    count = math.ceil(share * len(order) - 1e-9)  # 0.55 * 100 is a little more than 55
    return frozenset(order[: max(count, 1 if share else 0)])


def city_application(city: str) -> str:
    """Application of a city's own champion.

    Characters that are not alphanumeric become dashes; a hash tells such cities apart.

    >>> city_application("Bergen"), city_application("Den Haag"), city_application("Den-Haag")
    ('champion-Bergen', 'champion-Den-Haag-01922c2d', 'champion-Den-Haag-6b2a9110')
    """
    plain = "".join(c if c.isalnum() else "-" for c in city)
    if plain.isalnum():
        return f"{CHAMPION}-{plain}"
    return f"{CHAMPION}-{plain}-{hashlib.sha256(city.encode()).hexdigest()[:8]}"


def target_application(city: str | None) -> str:
    """The application in which the champion of a city answers; that of all cameras for None."""
    return CHAMPION if city is None else city_application(city)
