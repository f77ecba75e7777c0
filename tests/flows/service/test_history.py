"""Charts over time, and why a camera lags."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from flows.service.history.lag_causes import explain_lag
from flows.service.history.timeline import timeline
from streetloop.control.history.charts import ChartView
from streetloop.ledger.events import MEASURED, begin_event
from streetloop.ledger.history.camera_minutes import CameraMinute, add_camera_minutes
from streetloop.ledger.line_counts import minute_of
from streetloop.settings import Settings
from tests.support.control_service import NOW, Content, api_of, problem_of, register_versions, running

HOUR = timedelta(hours=1)


def asked(content: Content, *names: str, **query: str) -> list[ChartView]:
    answer = api_of(content).get("/charts", params={"chart": list(names), **query})
    assert answer.status_code == 200, answer.text
    return [ChartView.model_validate(one) for one in answer.json()]


def values(chart: ChartView) -> Mapping[str, list[float | None]]:
    return {curve.name: curve.values for curve in chart.curves}


def fill(content: Content, camera: str = "a40", gap: range = range(0)) -> None:
    """An hour of minutes until now, but for a gap, in minutes ago."""
    now = minute_of(datetime.now(UTC))  # the suite may have begun long ago
    minute = CameraMinute(60_000, 1500, 600, 2, 250, {"stale": 6, "rate": 900}, {"car": 2})
    add_camera_minutes(
        content.ledger, {(camera, now - ago): minute for ago in range(1, 61) if ago not in gap}
    )


def test_rates_lag_and_losses_of_a_camera_with_gaps_as_gaps(empty: Content) -> None:
    fill(empty, gap=range(20, 30))
    fps, lag, drops, objects = asked(empty, "fps", "lag", "drops", "objects", camera="a40", **{"from": "1h"})
    assert fps.step_s == 60
    detected = values(fps)["detected"]
    assert len(detected) == len(fps.times)
    assert detected.count(None) in range(10, 13)
    assert {value for value in detected if value is not None} == {10.0}
    assert {value for value in values(fps)["decoded"] if value is not None} == {25.0}
    assert {value for value in values(lag)["95 % are faster"] if value is not None} == {0.25}
    assert {value for value in values(drops)["stale: waited too long"] if value is not None} == {6.0}
    assert list(values(drops)) == ["stale: waited too long"], "what is left out on purpose is no loss"
    assert {value for value in values(objects)["car"] if value is not None} == {2.0}


def test_without_a_camera_each_has_a_curve(empty: Content) -> None:
    fill(empty)
    fill(empty, "crossing")
    (chart,) = asked(empty, "fps")
    assert list(values(chart)) == ["a40", "crossing"]


def test_crossings_by_class_are_gaps_where_nobody_looked(empty: Content) -> None:
    at = datetime.now(UTC) - HOUR / 2
    empty.add_counts(at, {("in", "in", "car"): 3, ("in", "out", "bus"): 1}, {"in": 60.0})
    (chart,) = asked(empty, "crossings", camera="a40")
    where = chart.times.index(60 * minute_of(at))
    assert {name: found[where] for name, found in values(chart).items()} == {"bus": 1.0, "car": 3.0}
    assert values(chart)["car"].count(None) == len(chart.times) - 1


def test_drift_labels_and_accuracy(content: Content) -> None:
    register_versions(content)
    drift, confidence, labels, accuracy = asked(
        content, "drift", "confidence", "labels", "accuracy", **{"from": "1d"}
    )
    assert [band.text for band in drift.bands] == ["a40: night"]
    assert drift.threshold == 1.0
    assert "a40" in values(confidence)
    assert labels.form == "bars"
    assert accuracy.form == "steps"
    assert {curve.name for curve in accuracy.curves} == {"all", "day", "night"}
    assert any("rollout 1" in band.text for band in accuracy.bands)


def measured(content: Content, ago: timedelta, version: str, camera: str, **counts: int) -> None:
    figures = dict.fromkeys(("kept", "moved", "reclassed", "removed", "added"), 0) | counts
    detail = {"frames": 9, "classes": {"car": figures}}
    begin_event(content.ledger, MEASURED, datetime.now(UTC) - ago, camera, version, detail=detail)


def test_what_labels_say_of_versions_holds_until_they_say_otherwise(content: Content) -> None:
    register_versions(content)
    (nothing,) = asked(content, "measured", **{"from": "1d"})
    assert (nothing.times, nothing.curves, len(nothing.bands)) == ([], [], 2)
    measured(content, 5 * HOUR, "tiny-2", "a40", kept=3, added=2)
    measured(content, 3 * HOUR, "tiny-2", "crossing", moved=3, removed=2)
    measured(content, 2 * HOUR, "tiny-2", "a40", kept=9, reclassed=0)
    measured(content, 4 * HOUR, "baseline-1", "a40", kept=1, removed=2)
    (chart,) = asked(content, "measured", **{"from": "1d"})
    assert (chart.form, len(chart.times)) == ("steps", 6)
    assert values(chart) == {
        "version 2": [None, 0.75, 0.75, 0.75, 0.9231, 0.9231],
        "baseline-1": [None, None, 0.5, 0.5, 0.5, 0.5],
    }
    assert any("rollout 1" in band.text for band in chart.bands)
    (one,) = asked(content, "measured", camera="crossing", **{"from": "1h"})
    assert values(one) == {"version 2": [0.75, 0.75]}


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [("15m", None, 1), ("1h", None, 1), ("24h", None, 5), ("7d", None, 30), ("31d", None, 180)],
)
def test_a_period_has_as_many_steps_as_a_screen_has_room_for(
    since: str, until: str | None, minutes: int
) -> None:
    line = timeline(since, until, NOW, UTC)
    assert line.minutes == minutes
    assert len(line.firsts) <= 361


def test_times_that_make_no_sense_are_refused(empty: Content) -> None:
    client = api_of(empty)
    for query, says in (
        ("chart=fps&from=2026-01-02&to=2026-01-01", "does not end after it begins"),
        ("chart=fps&from=2000-01-01", "longer than a year"),
        ("chart=fps&from=soon", "soon"),
        ("chart=prices", "prices"),
    ):
        assert says in problem_of(client.get(f"/charts?{query}"), 422) or says == "prices"


def test_a_day_of_sixteen_cameras_is_read_in_a_second(empty: Content) -> None:
    now = minute_of(datetime.now(UTC))  # the suite may have begun long ago
    minute = CameraMinute(60_000, 1500, 600, 2, 250, {"stale": 6, "rate": 900}, {"car": 2})
    for camera in range(16):
        add_camera_minutes(empty.ledger, {(f"c{camera}", now - ago): minute for ago in range(1440)})
    began = datetime.now(UTC)
    charts = asked(empty, "fps", "lag", **{"from": "24h"})
    took_s = (datetime.now(UTC) - began).total_seconds()
    assert [len(chart.curves) for chart in charts] == [16, 16]
    assert took_s < 5, "a second where nothing else runs"


# Why it lags


def said(minutes: list[CameraMinute], learning: str | None = None, **view: object) -> dict[str, bool]:
    shown = running(**{"fps": 6.0, **view})
    return {one.text: one.is_bad for one in explain_lag(shown, minutes, Settings(), learning)}


def test_a_camera_that_is_well_says_so_and_what_is_left_out_on_purpose() -> None:
    found = said([CameraMinute(60_000, 1500, 360, reasons={"rate": 1140, "still": 300})])
    assert not any(found.values())
    text = " ".join(found)
    assert "does not lag: 95 % of the results come within 0.20 s" in text
    assert "6 frames a second are asked for of 25 that arrive" in text
    assert "20% of the frames were not looked at" in text


def test_a_slow_detector_is_named_with_what_helps() -> None:
    found = said([CameraMinute(60_000, 1500, 300, reasons={"stale": 90, "superseded": 10})], "training")
    (bad,) = [text for text, is_bad in found.items() if is_bad]
    assert "100 of 400 frames (25%)" in bad
    assert "replicas_max is 1" in bad
    assert "A training runs on this machine and takes a part of its time." in found


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ({"state": "lost", "error": "no answer"}, "No frames arrive: no answer."),
        ({"state": "connecting"}, "no frame has arrived yet"),
        ({"fps_decoded": 2.0}, "sends 2.0 frames a second, and 6 are asked for"),
        ({"lag_p95_s": 0.9}, "within 0.90 s; the detector or its machine is busy"),
        ({"faults": ["the disk is full"]}, "the disk is full"),
    ],
)
def test_other_causes(view: dict[str, object], says: str) -> None:
    found = said([], **view)
    assert any(says in text and is_bad for text, is_bad in found.items()), found


def test_over_http(content: Content) -> None:
    client = api_of(content)
    assert client.get("/cameras/a40/lag").json()[0]["text"] == "No stream runs, so nothing lags."
    problem_of(client.get("/cameras/gone/lag"), 404)
    assert client.get("/cameras/gone/drift/before.jpg").status_code == 204
    assert client.get("/cameras/a40/drift/since.jpg").status_code in {200, 204}
    assert client.get("/me").json() == {"role": "admin"}
