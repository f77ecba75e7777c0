"""Every alert fires for what it is meant for, and for nothing else, as promtool plays it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from flows.reports.dashboards.alerts import ALERTS
from flows.reports.dashboards.rules import kubernetes_rules, prometheus_rules
from tests.support.metrics import text
from tests.support.servers.prometheus import PROMTOOL

pytestmark = pytest.mark.prometheus

INFO = 'streetloop_info{version="1",run="r"}'


class Case(NamedTuple):
    """What Prometheus sees, minute by minute, and what then fires.

    Attributes:
        series: Values by series; ``1+0x60`` is 1 for an hour.
        minutes: When to look, if not at once.
        labels: Of the alert; None if it stays silent.
    """

    series: Mapping[str, str]
    minutes: int
    labels: Mapping[str, str] | None


def frames(**rates: float) -> dict[str, str]:
    """Frames of camera a, a minute, by fate and reason."""
    series = {}
    for name, rate in rates.items():
        fate, _, reason = name.partition("__")
        series[f'streetloop_frames_total{{camera="a",fate="{fate}",reason="{reason}"}}'] = f"0+{rate}x600"
    return series


def rollout(age_s: str, phase: str = "shadow", blocks: int = 0) -> dict[str, str]:
    return {
        "streetloop_rollout_phase_age_seconds": age_s,
        'streetloop_rollout_phase{phase="none"}': f"{int(phase == 'none')}+0x600",
        "streetloop_rollout_blocks": f"{blocks}+0x600",
    }


_LOST = 'streetloop_camera_state{camera="a",state="lost"}'
_P95 = 'streetloop_lag_seconds{camera="a",quantile="0.95"}'

CASES: Mapping[str, Sequence[Case]] = {
    "CameraLost": (
        Case({_LOST: "1+0x9"}, 1, {"camera": "a", "state": "lost"}),
        Case({'streetloop_camera_state{camera="a",state="live"}': "1+0x9"}, 5, None),
        Case({_LOST: "0 0 1 0 0 0"}, 4, None),
    ),
    "LagHigh": (
        Case({_P95: "2+0x9"}, 3, {"camera": "a", "quantile": "0.95"}),
        Case({'streetloop_lag_seconds{camera="a",quantile="0.5"}': "2+0x9"}, 9, None),
        Case({_P95: "0.4+0x9"}, 9, None),
    ),
    "FramesDropped": (
        Case(frames(detected=80, dropped__stale=20), 9, {"camera": "a"}),
        Case(frames(detected=95, dropped__stale=5), 9, None),
        Case(frames(detected=80, dropped__stopped=20), 9, None),
    ),
    "DetectorFailing": (
        Case(frames(detected=80, failed__detector=1), 3, {"camera": "a"}),
        Case(frames(detected=80, failed__worker=1), 9, None),
    ),
    "DetectorRestarting": (
        Case({'streetloop_restarts_total{process="detector"}': "0 0 1 2 2 2"}, 5, {"process": "detector"}),
        Case({'streetloop_restarts_total{process="detector"}': "0 0 1 1 1 1"}, 5, None),
    ),
    "WorkerRestarting": (
        Case({'streetloop_restarts_total{process="worker"}': "0 0 1 2 2 2"}, 5, {"process": "worker"}),
        Case({'streetloop_restarts_total{process="worker"}': "0 0 1 1 1 1"}, 5, None),
    ),
    "WorkerHanging": (
        Case({'streetloop_worker_report_age_seconds{worker="w"}': "5+60x9"}, 2, {"worker": "w"}),
        Case({'streetloop_worker_report_age_seconds{worker="w"}': "1+0x9"}, 9, None),
    ),
    "ErrorsLogged": (
        Case({'streetloop_errors_total{module="m"}': "1 1 1 2 2"}, 4, {"module": "m"}),
        Case({'streetloop_errors_total{module="m"}': "_ _ 1+0x9"}, 3, {"module": "m"}),
        Case({'streetloop_errors_total{module="m"}': "3+0x30"}, 20, None),
    ),
    "SinkAway": (
        Case({'streetloop_sink_outbox_age_seconds{sink="bus"}': "0+60x20"}, 6, {"sink": "bus"}),
        Case({'streetloop_sink_outbox_age_seconds{sink="bus"}': "20+0x20"}, 9, None),
    ),
    "SpoolWaiting": (
        Case({"streetloop_spool_oldest_age_seconds": "3600+60x20"}, 5, {}),
        Case({"streetloop_spool_oldest_age_seconds": "90+0x20"}, 9, None),
    ),
    "DriftOpen": (
        Case({'streetloop_events_open{kind="drift"}': "1+0x9"}, 3, {"kind": "drift"}),
        Case({'streetloop_events_open{kind="camera_lost"}': "1+0x9"}, 3, None),
    ),
    "WritesFailing": (
        Case({'streetloop_events_open{kind="store_failed"}': "1+0x9"}, 2, {"kind": "store_failed"}),
        Case({'streetloop_events_open{kind="upload_failed"}': "1+0x9"}, 2, {"kind": "upload_failed"}),
        Case({'streetloop_events_open{kind="drift"}': "1+0x9"}, 3, None),
    ),
    "DependencyAway": (
        Case({'streetloop_dependency_up{dependency="ledger"}': "0+0x9"}, 2, {"dependency": "ledger"}),
        Case({'streetloop_dependency_up{dependency="ledger"}': "1+0x9"}, 2, None),
    ),
    "DiskFull": (
        Case({"streetloop_disk_free_bytes": "5+0x9", "streetloop_disk_size_bytes": "100+0x9"}, 3, {}),
        Case({"streetloop_disk_free_bytes": "50+0x9", "streetloop_disk_size_bytes": "100+0x9"}, 3, None),
    ),
    "RolloutHeld": (
        Case(rollout("0+60x600", blocks=9), 400, {}),
        Case(rollout("0+60x600", blocks=9), 300, None),
        Case(rollout("0+60x600", phase="none", blocks=9), 400, None),
    ),
    "RolloutRolledBack": (
        Case({'streetloop_rollouts_total{result="rolled back"}': "1 1 1 2 2"}, 4, {"result": "rolled back"}),
        Case({'streetloop_rollouts_total{result="promoted"}': "1 1 1 2 2"}, 4, None),
    ),
    "NoPromotionEvidence": (
        Case(rollout("0+60x600"), 100, {}),
        Case(rollout("0+60x600", blocks=3), 100, None),
        Case(rollout("0+0x600", phase="none"), 100, None),
    ),
    "LabelsWaiting": (
        Case({'streetloop_labels_oldest_age_seconds{state="pushed"}': "90000+60x9"}, 3, {"state": "pushed"}),
        Case({'streetloop_labels_oldest_age_seconds{state="pushed"}': "600+60x9"}, 3, None),
    ),
    "LearningParked": (
        Case({'streetloop_learning_state{step="parked"}': "1+0x9"}, 3, {"step": "parked"}),
        Case({'streetloop_learning_state{step="training"}': "1+0x9"}, 3, None),
    ),
    "MetricsAway": (Case({"up": "0+0x9"}, 3, {}), Case({INFO: "1+0x9"}, 3, None)),
}


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    assert CASES.keys() == {alert.name for alert in ALERTS}
    for cases in CASES.values():
        assert {case.labels is None for case in cases} == {True, False}


def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(prometheus_rules("runbook.md"))
    promtool(tmp_path, "check", "rules", "alerts.yaml")
    spec = yaml.safe_load(kubernetes_rules("runbook.md"))["spec"]
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))
    promtool(tmp_path, "check", "rules", "spec.yaml")


def test_alerts_fire_for_what_they_are_meant_for(tmp_path: Path) -> None:
    rules = yaml.safe_load(prometheus_rules("runbook.md"))
    for rule in rules["groups"][0]["rules"]:
        del rule["annotations"]  # promtool would compare them, too
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    tests = [_test(name, case) for name, cases in CASES.items() for case in cases]
    document = {"rule_files": ["alerts.yaml"], "evaluation_interval": "15s", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document))
    promtool(tmp_path, "test", "rules", "tests.yaml")


def test_promtool_has_nothing_to_say_against_the_metrics(tmp_path: Path) -> None:
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _test(name: str, case: Case) -> dict[str, Any]:
    alert = next(alert for alert in ALERTS if alert.name == name)
    fired = [] if case.labels is None else [{"exp_labels": {**case.labels, "severity": alert.severity}}]
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [{"eval_time": f"{case.minutes}m", "alertname": name, "exp_alerts": fired}],
    }


def promtool(folder: Path, *arguments: str) -> None:
    done = subprocess.run([PROMTOOL, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
