"""Cities: groups of cameras."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.learning.triggers import city_of
from flows.service.parts.cameras import CameraService
from flows.service.parts.models import ModelService
from serve.rollout.route_table import city_application
from streetloop.cameras.camera_file import Camera, camera_document, parse_camera
from streetloop.control.cities.city_control import CityView
from streetloop.errors import ConfigError, FieldsInvalid, NotFound
from streetloop.ledger.cameras import change_cameras
from streetloop.ledger.learning import open_learning
from streetloop.ledger.rollouts import open_rollout
from train.model_registry import CHAMPION


class CityService(CameraService, ModelService):
    """See `streetloop.control.port.Control`."""

    def cities(self) -> list[CityView]:
        """See `Control.cities`."""
        live = {view.id for view in self._live() if view.state == "live"}
        champions = self._champions()
        groups: dict[str | None, list[str]] = {}
        for camera in self._cameras():
            groups.setdefault(camera.city, []).append(camera.id)
        names = sorted(groups, key=lambda name: (name is None, name or ""))
        return [self._city(name, groups[name], live, champions) for name in names]

    def group_cameras(self, city: str, cameras: Sequence[str], author: str) -> CityView:
        """See `Control.group_cameras`."""
        if not cameras:
            why = "name the cameras of the city: a city is there as long as it has one"
            raise FieldsInvalid(why, {"cameras": why})
        with self._changing_camera:
            known = {camera.id: camera for camera in self._cameras()}
            self._move([self._require(name, known) for name in cameras], city, author)
        return self._found(city)

    def rename_city(self, city: str, name: str, author: str) -> CityView:
        """See `Control.rename_city`."""
        with self._changing_camera:
            cameras = self._cameras()
            mine = [camera for camera in cameras if camera.city == city]
            if not mine:
                raise NotFound(f"no camera is in {city[:100]!r}")
            if name != city and any(camera.city == name for camera in cameras):
                why = f"there is a city {name!r} already; put single cameras into it instead"
                raise FieldsInvalid(why, {"city": why})
            if name != city:
                self._refuse_what_goes_by_its_name(city)
            self._move(mine, name, author)
        return self._found(name)

    def _refuse_what_goes_by_its_name(self, city: str) -> None:
        champion = self._champions().get(city_application(city))
        if champion is not None:
            raise ConfigError(
                f"{city!r} has a champion of its own, version {champion}, which goes by its name; "
                "a city with one keeps its name"
            )
        if city in self._settings.learn_city_cron:
            raise ConfigError(f"the setting learn_city_cron names {city!r}; change it there first")
        rollout, run = open_rollout(self._ledger), open_learning(self._ledger)
        if rollout is not None and rollout.city == city:
            raise ConfigError(f"rollout {rollout.id} is of {city!r}; it must end first")
        if run is not None and city_of(run.trigger) == city:
            raise ConfigError(f"learning run {run.id} is of {city!r}; it must end first")

    def _move(self, cameras: Sequence[Camera], city: str, author: str) -> None:
        """Write down the city of cameras that are in another."""
        changed = [camera for camera in cameras if camera.city != city]
        documents = {camera.id: {**camera_document(camera), "city": city} for camera in changed}
        written = {name: camera_document(parse_camera(one)) for name, one in documents.items()}
        if written:
            change_cameras(self._ledger, written, author, datetime.now(UTC))

    def _found(self, name: str) -> CityView:
        return next(city for city in self.cities() if city.name == name)

    def _city(
        self, name: str | None, cameras: list[str], live: set[str], champions: dict[str, int]
    ) -> CityView:
        own = None if name is None else champions.get(city_application(name))
        schedules = self._settings.learn_city_cron
        return CityView(
            name=name,
            cameras=cameras,
            live=len(live.intersection(cameras)),
            champion=champions.get(CHAMPION) if own is None else own,
            has_own_champion=own is not None,
            schedule=self._settings.learn_cron
            if name is None
            else schedules.get(name, self._settings.learn_cron),
            has_own_schedule=name in schedules,
            zone=self._settings.timezone,
        )

    def _champions(self) -> dict[str, int]:
        """The version of every alias."""
        return {alias: version.number for version in self._versions() for alias in version.aliases}
