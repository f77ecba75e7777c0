"""Each rule by the contract, and by what is its own."""

import numpy as np

from flows.stream.anomalies.rule import Rule
from flows.stream.anomalies.rules.congestion import CongestionRule
from flows.stream.anomalies.rules.pedestrian import PedestrianRule
from flows.stream.anomalies.rules.queue import QueueRule
from flows.stream.anomalies.rules.road_object import RoadObjectRule
from flows.stream.anomalies.rules.stopped_vehicle import StoppedVehicleRule
from flows.stream.anomalies.rules.wrong_way import WrongWayRule
from flows.stream.anomalies.scene import ObjectRole
from flows.stream.anomalies.street import Street
from streetloop.cameras.anomaly_parameters import (
    Congestion,
    Pedestrian,
    Queue,
    RoadObject,
    StoppedVehicle,
    WrongWay,
)
from tests.support.contracts.rules import RuleContract
from tests.support.street_scenes import PERSON, StreetScenes, learned


def _drive_in(scenes: StreetScenes, track: int, at: float) -> None:
    """A vehicle that stands from the middle of second 1 on."""
    x = 400.0 - 60 * max(0.0, 1.5 - at)
    scenes.add(track, x, 222.0, still_s=max(0.0, at - 1.5) and at)


class TestStoppedVehicle(RuleContract):
    def rule(self) -> Rule:
        return StoppedVehicleRule(StoppedVehicle())

    def happen(self, scenes: StreetScenes, at: float) -> None:
        _drive_in(scenes, 7, at)

    def test_who_stands_where_others_stood_again_and_again_waits(self) -> None:
        """As before a signal without a zone: reds of 25 s, twice a minute; the fifth car stays."""
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        begun = self._reds(rule, street, scenes, reds=5)
        assert all(number < 3 for number in begun), "the first three are not known to wait"
        stays = []
        for frame in range(300):
            pts = 300 + frame / 5
            scenes.begin(pts)
            _drive_in(scenes, 90, pts - 300)
            stays += rule.update(scenes.scene(street), street)
        (found,) = [change for change in stays if change.ended is None]
        assert abs(found.sighting.since - 300) < 2

    def test_those_who_stand_behind_one_that_broke_down_teach_nothing(self) -> None:
        street = Street(640, 360)
        for car in range(6):
            street.note_stop(np.array([400.0, 222.0]), 10.0 + car, 60.0 + car)
        assert street.longest_stop_s(np.array([400.0, 222.0])) is None

    @staticmethod
    def _reds(rule: Rule, street: Street, scenes: StreetScenes, reds: int) -> list[int]:
        """The reds in which an anomaly began; each lasts 25 s of a minute."""
        begun = []
        for frame in range(reds * 60 * 5):
            pts = frame / 5
            scenes.begin(pts)
            if pts % 60 < 25:
                _drive_in(scenes, 50 + int(pts // 60), pts % 60)
            changes = rule.update(scenes.scene(street), street)
            begun += [int(pts // 60) for change in changes if change.ended is None]
        return begun

    def test_a_vehicle_with_another_id_stands_on(self) -> None:
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        told = []
        for frame in range(300):
            pts = frame / 5
            scenes.begin(pts)
            x = 400.0 - 60 * max(0.0, 1.5 - pts)
            scenes.add(7 + frame // 50, x, 222.0, still_s=2.0 + pts % 10 if pts > 1.5 else 0.0)
            told += rule.update(scenes.scene(street), street)
        assert len(told) == 1
        assert told[0].ended is None

    def test_who_waits_in_a_queue_is_not_stopped(self) -> None:
        rule, street = StoppedVehicleRule(StoppedVehicle()), learned()
        scenes = StreetScenes(stop_line=(500.0, 640.0))
        for frame in range(350):
            scenes.begin(frame / 5)
            for place in range(5):  # the last ones stand behind the zone
                scenes.add(place, 600.0 - 60 * place, 222.0, still_s=2.0 + frame / 5)
            assert list(rule.update(scenes.scene(street), street)) == []

    def test_a_car_that_only_every_other_second_is_looked_at_is_found(self) -> None:
        told = self.played(fps=0.5)
        assert [what for what, _ in told] == ["begin", "end"]


class TestWrongWay(RuleContract):
    seconds = 6.0

    def rule(self) -> Rule:
        return WrongWayRule(WrongWay(), np.zeros((0, 2)))

    def happen(self, scenes: StreetScenes, at: float) -> None:
        scenes.add(7, 640.0 - 100 * at, 222.0, velocity=(-100.0, 0.0))

    def test_a_leap_of_an_id_is_none(self) -> None:
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        for frame in range(200):
            pts = frame / 5
            scenes.begin(pts)
            scenes.add(7, 500.0 - 300 * (frame % 40 < 20) + 5 * (frame % 20), 222.0, velocity=(100.0, 0.0))
            assert list(rule.update(scenes.scene(street), street)) == []

    def test_a_person_may_walk_either_way(self) -> None:
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        for frame in range(100):
            scenes.begin(frame / 5)
            x = 640.0 - 4 * frame
            scenes.add(7, x, 222.0, role=ObjectRole.PERSON, velocity=(-20.0, 0.0), size=PERSON)
            assert list(rule.update(scenes.scene(street), street)) == []


class TestCongestion(RuleContract):
    def rule(self) -> Rule:
        return CongestionRule(Congestion())

    def happen(self, scenes: StreetScenes, at: float) -> None:
        for number in range(8):
            scenes.add(7 + number, 60.0 * number + 10 * (at % 6), 222.0, velocity=(10.0, 0.0))


class TestQueue(RuleContract):
    def rule(self) -> Rule:
        return QueueRule(Queue(min_vehicles=4, hold_s=5.0))

    def happen(self, scenes: StreetScenes, at: float) -> None:
        scenes.stop_line = (500.0, 640.0)
        for place in range(5):
            scenes.add(7 + place, 600.0 - 60 * place, 222.0, still_s=2.0 + at)


class TestPedestrian(RuleContract):
    def rule(self) -> Rule:
        return PedestrianRule(Pedestrian())

    def happen(self, scenes: StreetScenes, at: float) -> None:
        scenes.add(7, 200.0 + 3 * at, 230.0, role=ObjectRole.PERSON, velocity=(3.0, 0.0), size=PERSON)

    def test_who_rides_is_no_pedestrian(self) -> None:
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        for frame in range(100):
            scenes.begin(frame / 5)
            scenes.add(7, 300.0, 225.0, role=ObjectRole.PERSON, size=PERSON)
            scenes.add(8, 300.0, 230.0, role=ObjectRole.CYCLE, size=(30.0, 40.0))
            scenes.add(9, 100.0, 225.0, role=ObjectRole.PERSON, size=PERSON, velocity=(130.0, 0.0))
            assert list(rule.update(scenes.scene(street), street)) == []


class TestRoadObject(RuleContract):
    def rule(self) -> Rule:
        return RoadObjectRule(RoadObject())

    def happen(self, scenes: StreetScenes, at: float) -> None:
        scenes.add(
            7, 300.0, 230.0, role=ObjectRole.OBJECT, still_s=max(0.0, at - 1.5) and at, size=(15.0, 12.0)
        )
