"""What asks for a learning run, of a city or of all cameras: drift, new labels, a schedule."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cronsim import CronSim

from flows.learning.training_plan import CityCameras
from streetloop.cameras.camera_file import Camera
from streetloop.errors import LearningError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import Finding, list_findings
from streetloop.ledger.learning import LearningRun, list_learning
from streetloop.ledger.reviews import count_labeled
from streetloop.settings import Settings

Trigger = Mapping[str, Any]

_MAX_RUNS = 100  # that are looked through for the last one of a city


def place_of(cameras: Sequence[Camera], city: str | None) -> CityCameras | None:
    """A city with its cameras; None for all cameras together.

    Args:
        cameras: The cameras that run.
        city: The city; None for all.

    Raises:
        LearningError: No camera is in the city.
    """
    if city is None:
        return None
    found = frozenset(camera.id for camera in cameras if camera.city == city)
    if not found:
        cities = ", ".join(sorted({camera.city for camera in cameras if camera.city}))
        raise LearningError(f"no camera is in {city!r}; cities are: {cities or 'none'}")
    return CityCameras(city, found)


class Triggers:
    """Says whether a learning run should begin now.

    Args:
        settings: The triggers and limits of learning.
        ledger: Holds labels, findings and runs.
        cameras: Called for the cameras that run.
        since: When this process began: a schedule that was due before it is not made up for.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, cameras: Callable[[], Sequence[Camera]], since: datetime
    ) -> None:
        self._settings, self._ledger, self._cameras, self._since = settings, ledger, cameras, since

    def due(self, now: datetime) -> Trigger | None:
        """What asks for a run; None if nothing does, or if it must wait.

        Args:
            now: The time (UTC).
        """
        runs = list_learning(self._ledger, most=_MAX_RUNS)
        today = sum(run.started_at >= now - timedelta(days=1) for run in runs)
        if today >= self._settings.learn_per_day:
            return None
        found = (self.of_drift(), self._of_labels(), *self._of_schedules(runs, now))
        return next((one for one in found if one and not self._rests(one, runs, now)), None)

    def labels(self, city: str | None, *, of_drift: bool = False) -> int:
        """Number of labeled frames in no dataset.

        Args:
            city: Counts frames of its cameras only; None for all.
            of_drift: Count only those that were chosen for drift.
        """
        if city is None:
            return count_labeled(self._ledger, of_drift)
        cameras = [camera.id for camera in self._cameras() if camera.city == city]
        return count_labeled(self._ledger, of_drift, cameras)

    def of_drift(self) -> Trigger | None:
        """The open findings that ask for labels; None if there are none."""
        findings = [f for f in list_findings(self._ledger, only_open=True) if f.asks_for_labels]
        if not findings:
            return None
        causes = sorted({finding.causes[0].name for finding in findings if finding.causes})
        cameras = sorted({finding.camera_id for finding in findings})
        trigger = {
            "kind": "drift",
            "because": f"{' and '.join(causes)} on {', '.join(cameras)}",
            "findings": [finding.id for finding in findings],
        }
        city = self._drifted_alone(findings)
        return trigger if city is None else {**trigger, "city": city}

    def _drifted_alone(self, findings: Sequence[Finding]) -> str | None:
        """The city of all findings, if there are cameras elsewhere."""
        cities = {camera.id: camera.city for camera in self._cameras()}
        drifted = {cities.get(finding.camera_id) for finding in findings}
        city = drifted.pop() if len(drifted) == 1 else None
        return city if city is not None and set(cities.values()) != {city} else None

    def _of_labels(self) -> Trigger | None:
        count = self.labels(None)
        if count < self._settings.learn_labels:
            return None
        return {"kind": "labels", "because": f"{count} new labels"}

    def _of_schedules(self, runs: Sequence[LearningRun], now: datetime) -> list[Trigger]:
        """Runs that a schedule asks for, each city's before that of all cameras."""
        schedules = [*self._settings.learn_city_cron.items(), (None, self._settings.learn_cron)]
        found: list[Trigger] = []
        for city, cron in schedules:
            mine = [run for run in runs if city_of(run.trigger) == city]
            due = cron is not None and self._is_time(cron, mine, now)
            count = self.labels(city) if due else 0
            if not count:
                continue
            of_city = {} if city is None else {"city": city}
            where = "the schedule" if city is None else f"the schedule of {city}"
            found.append({"kind": "schedule", "because": f"{where}; {count} new labels", **of_city})
        return found

    def _is_time(self, cron: str, mine: Sequence[LearningRun], now: datetime) -> bool:
        """True if it was due since the last of these runs, and since this process began."""
        since = max(self._since, mine[0].started_at) if mine else self._since
        return next(CronSim(cron, since.astimezone(self._settings.zone))) <= now

    def _rests(self, trigger: Trigger, runs: Sequence[LearningRun], now: datetime) -> bool:
        """True for a while after a run of the same city, or of all cameras."""
        rest = timedelta(hours=self._settings.learn_rest_h)
        mine = [run for run in runs if city_of(run.trigger) == city_of(trigger)]
        return any(run.ended_at is not None and now - run.ended_at < rest for run in mine)


def city_of(trigger: Trigger) -> str | None:
    """The city of a trigger; None for all cameras."""
    city = trigger.get("city")
    return None if city is None else str(city)
