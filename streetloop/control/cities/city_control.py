"""Cities: groups of cameras, each with the champion and the schedule that it has."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel


class CityView(BaseModel):
    """A group of cameras.

    A city is there as long as a camera names it. Nothing else is kept of it but a champion in the
    registry and a schedule in the settings.

    Attributes:
        name: Its name; None for the cameras without a city.
        cameras: Ids of its cameras, in the order of all cameras.
        live: How many of them are live.
        champion: The version that its cameras start with; None where no version is the champion.
        has_own_champion: Whether that was promoted for this city alone.
        schedule: When trainings on new labels are due, five fields of cron; None if never.
        has_own_schedule: Whether that is of this city alone, by ``learn_city_cron``.
        zone: The time zone of its times, which all cities share.
    """

    name: str | None
    cameras: list[str]
    live: int
    champion: int | None
    has_own_champion: bool
    schedule: str | None
    has_own_schedule: bool
    zone: str


class CityControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def cities(self) -> list[CityView]:
        """Every city by name; the cameras without one come last."""

    def group_cameras(self, city: str, cameras: Sequence[str], author: str) -> CityView:
        """Put cameras into a city, which is added if no camera is in it yet: all of them, or none.

        Running cameras whose city changes restart.

        Raises:
            ConfigError: The name is wrong, or no camera is given.
            NotFound: There is no such camera.
        """

    def rename_city(self, city: str, name: str, author: str) -> CityView:
        """Give a city another name; its running cameras restart.

        Raises:
            ConfigError: The name is wrong or taken, or something goes by the old name: a champion
                or a schedule of the city, a rollout or a learning run.
            NotFound: No camera is in the city.
        """
