"""Which application answers for which camera during a rollout; workers follow its route table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from serve.rollout.control.ports import Fleet
from serve.rollout.policy import Policy
from serve.rollout.route_table import CHAMPION, RouteTable, leaders
from streetloop.cameras.camera_file import Camera


class CameraRouting:
    """Publishes route tables to the running streams.

    Args:
        fleet: The running streams.
        cameras: Called for the cameras that are to run now; the answer may change between calls.
        champion_applications: Application of a city's own champion by city, where it has one.

    Attributes:
        table: The route table in force.
        cities: City by camera, where it has one; updated in place.
    """

    def __init__(
        self, fleet: Fleet, cameras: Callable[[], Sequence[Camera]], champion_applications: Mapping[str, str]
    ) -> None:
        self._fleet, self._cameras = fleet, cameras
        self._champion_applications = dict(champion_applications)
        self.table = RouteTable(champion_applications=self._own_champions())
        self.cities = {camera.id: camera.city for camera in cameras()}

    def follow_cameras(self) -> None:
        """Route cameras that were added since the last call to the champion of their city."""
        self.cities |= {camera.id: camera.city for camera in self._cameras()}
        own_champions = self._own_champions()
        if own_champions != self.table.champion_applications:
            number = self.table.number + 1
            self._publish(replace(self.table, number=number, champion_applications=own_champions))

    def cameras_of(self, city: str | None) -> list[str]:
        """Cameras of a city; all for None."""
        return [camera.id for camera in self._cameras() if city is None or camera.city == city]

    def compared(self, city: str | None) -> frozenset[str]:
        """Cameras that take part in a rollout.

        One for all cameras leaves out those of cities with a champion of their own.
        """
        own = {} if city is not None else self._own_champions()
        return frozenset(camera for camera in self.cameras_of(city) if camera not in own)

    def compared_champion(self, cameras: frozenset[str]) -> str:
        """Application of the champion that a challenger is compared with on these cameras."""
        return self.table.champion_application(min(cameras)) if cameras else CHAMPION

    def has_own_champion(self, city: str) -> bool:
        """True if the city has a champion of its own."""
        return city in self._champion_applications

    def set_own_champion(self, city: str, application: str) -> None:
        """Note the application of a city's own champion; the next route table has it."""
        self._champion_applications[city] = application

    def route_share(self, city: str | None, policy: Policy, share: float) -> None:
        """Let the challenger serve a share of the cameras that take part.

        Args:
            city: The rollout's city; None for all cameras.
            policy: Says how many frames are compared, and in blocks of what length.
            share: Share of the cameras, 0 to 1.
        """
        scope = self.compared(city)
        table = RouteTable(
            self.table.number + 1,
            self._own_champions(),
            scope,
            leaders(scope, share),
            policy.sample,
            policy.block_s,
        )
        routes = (table.challenged, table.compared, table.sample)
        if routes != (self.table.challenged, self.table.compared, self.table.sample):
            self._publish(table)

    def route_to_champion(self) -> None:
        """Let the champions serve all cameras."""
        self._publish(RouteTable(self.table.number + 1, self._own_champions()))

    def publish(self) -> None:
        """Send the table in force once more, to streams that have just started."""
        self._fleet.follow(self.table)

    def applications(self) -> dict[str, str]:
        """Application that serves each camera."""
        return {camera.id: self.table.application(camera.id) for camera in self._cameras()}

    def _own_champions(self) -> dict[str, str]:
        return {
            camera.id: self._champion_applications[camera.city]
            for camera in self._cameras()
            if camera.city in self._champion_applications
        }

    def _publish(self, table: RouteTable) -> None:
        self.table = table
        self.publish()
