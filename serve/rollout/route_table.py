"""Which application answers for which camera: a small table that workers follow."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CHAMPION = "champion"
"""The application whose answers count unless a city has a champion of its own."""

CHALLENGER = "challenger"
"""The application of the candidate."""


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Who answers for whom; a new one replaces the old one as a whole.

    Attributes:
        number: Rises with each change.
        champion_applications: Champion's application by camera, where it is not `CHAMPION`.
        compared: Cameras that take part in a rollout.
        challenged: Those of them that the challenger serves.
        sample: Share of the batches of compared cameras that both models answer.
        block_s: See `serve.rollout.policy.Policy`.
    """

    number: int = 0
    champion_applications: Mapping[str, str] = field(default_factory=dict)
    compared: frozenset[str] = frozenset()
    challenged: frozenset[str] = frozenset()
    sample: float = 0.0
    block_s: float = 20.0

    def champion_application(self, camera_id: str) -> str:
        """The application of its champion."""
        return self.champion_applications.get(camera_id, CHAMPION)

    def application(self, camera_id: str) -> str:
        """The application that serves it now."""
        return CHALLENGER if camera_id in self.challenged else self.champion_application(camera_id)


def leaders(cameras: Iterable[str], share: float) -> frozenset[str]:
    """The cameras that a challenger serves at a share: at least one, and the same every time.

    They are taken in the order of a hash, so a larger share has those of a smaller one.

    >>> sorted(leaders(["a", "b", "c", "d"], 0.5)), len(leaders(["a", "b", "c", "d"], 0.05))
    (['c', 'd'], 1)
    """
    order = sorted(cameras, key=lambda camera: hashlib.sha256(camera.encode()).digest())
    count = math.ceil(share * len(order) - 1e-9)  # 0.55 * 100 is a little more than 55
    return frozenset(order[: max(count, 1 if share else 0)])


def city_application(city: str) -> str:
    """The application of a city's own champion.

    Names of cities that differ in signs alone differ here by the start of a hash.

    >>> city_application("Bergen"), city_application("Den Haag"), city_application("Den-Haag")
    ('champion-Bergen', 'champion-Den-Haag-01922c2d', 'champion-Den-Haag-6b2a9110')
    """
    plain = "".join(c if c.isalnum() else "-" for c in city)
    if plain.isalnum():
        return f"{CHAMPION}-{plain}"
    return f"{CHAMPION}-{plain}-{hashlib.sha256(city.encode()).hexdigest()[:8]}"
