"""What every rule of anomalies must do."""

from collections.abc import Callable

from flows.stream.anomalies.rule import Rule
from tests.support.street_scenes import StreetScenes, learned

Told = list[tuple[str, float]]


class RuleContract:
    """Checks a rule by what it says to scenes.

    A test class inherits from it and gives the two methods.
    """

    def rule(self) -> Rule:
        """A new rule with its defaults."""
        raise NotImplementedError

    def happen(self, scenes: StreetScenes, at: float) -> None:
        """Put what the rule looks for into the scene of second ``at``, counted from its begin."""
        raise NotImplementedError

    seconds = 60.0
    """How long it lasts."""

    def played(
        self, fps: float = 5.0, lost: Callable[[int], bool] = lambda _: False
    ) -> list[tuple[str, float]]:
        """What is said, begins and ends with their media times, of an anomaly from second 20 on."""
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        told = []
        for frame in range(round((40 + self.seconds) * fps)):
            pts = frame / fps
            if lost(frame):
                continue
            scenes.begin(pts)
            scenes.drive_by(pts)
            if 20 <= pts < 20 + self.seconds:
                self.happen(scenes, pts - 20)
            for change in rule.update(scenes.scene(street), street):
                begin = change.ended is None
                told.append(("begin", change.sighting.since) if begin else ("end", change.ended or 0.0))
                assert 0 <= change.sighting.certainty <= 1
        told += [("end", change.ended or 0.0) for change in rule.close(40 + self.seconds)]
        return told

    def test_it_begins_once_and_ends_once(self) -> None:
        (first, began), (second, ended) = self.played()
        assert (first, second) == ("begin", "end")
        assert abs(began - 20) <= 5
        assert abs(ended - (20 + self.seconds)) <= 5

    def test_ordinary_traffic_is_none(self) -> None:
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        for frame in range(200):
            scenes.begin(frame / 5)
            scenes.drive_by(frame / 5)
            assert list(rule.update(scenes.scene(street), street)) == []

    def test_lost_frames_change_nothing(self) -> None:
        told = self.played(lost=lambda frame: frame % 5 == 2)
        assert [what for what, _ in told] == ["begin", "end"]

    def test_other_rates_change_nothing(self) -> None:
        for fps in (3.0, 12.0):
            assert [what for what, _ in self.played(fps)] == ["begin", "end"]

    def test_a_time_without_frames_is_no_end(self) -> None:
        gap = (35 * 5), (55 * 5)
        told = self.played(lost=lambda frame: gap[0] <= frame < gap[1])
        assert [what for what, _ in told][:1] == ["begin"]
        ends = [at for what, at in told if what == "end"]
        assert all(not 35 < at < 55 for at in ends)

    def test_an_empty_street_is_fine(self) -> None:
        rule, street, scenes = self.rule(), learned(), StreetScenes()
        scenes.begin(0.0)
        assert list(rule.update(scenes.scene(street), street)) == []
        assert list(rule.close(1.0)) == []

    def test_it_has_a_kind_and_a_version(self) -> None:
        rule = self.rule()
        assert rule.version.startswith(f"{rule.kind}/")
