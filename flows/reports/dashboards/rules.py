"""Alerts as rules of Prometheus, and as a PrometheusRule of kube-prometheus-stack."""

from collections.abc import Sequence
from typing import Any

import yaml

from flows.reports.dashboards.alerts import ALERTS, Alert

_GROUP = "streetloop"
_EVERY = "15s"


def prometheus_rules(runbook: str, alerts: Sequence[Alert] = ALERTS) -> str:
    """The file that ``rule_files`` of Prometheus names, YAML.

    Args:
        runbook: Address of the runbook; each alert links its section.
        alerts: The alerts.
    """
    return _yaml({"groups": [_group(runbook, alerts)]})


def kubernetes_rules(runbook: str, alerts: Sequence[Alert] = ALERTS) -> str:
    """The same as a PrometheusRule, YAML; kube-prometheus-stack finds it by its label ``release``.

    Args:
        runbook: Address of the runbook; each alert links its section.
        alerts: The alerts.
    """
    labels = {"app.kubernetes.io/name": "streetloop", "release": "kube-prometheus-stack"}
    return _yaml(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": _GROUP, "labels": labels},
            "spec": {"groups": [_group(runbook, alerts)]},
        }
    )


def _group(runbook: str, alerts: Sequence[Alert]) -> dict[str, Any]:
    return {"name": _GROUP, "interval": _EVERY, "rules": [_rule(one, runbook) for one in alerts]}


def _rule(alert: Alert, runbook: str) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasts,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook_url": f"{runbook}#{alert.anchor}"},
    }


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=110)
