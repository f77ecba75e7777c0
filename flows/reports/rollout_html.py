"""``streetloop rollout report --html``: both models side by side, as one page without links."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from serve.rollout.report import between, classes_of, number, signed, tables_of
from streetloop.errors import ConfigError

_STYLES = {"promoted": "good", "rolled back": "bad"}
_LEAST_REACH = 0.05  # of the axis of gains, in F1


def write_page(path: Path, report: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        path: Where to.
        report: What `serve.rollout.report.report_of` gave.

    Raises:
        ConfigError: It cannot be written there.
    """
    environment = Environment(
        loader=PackageLoader("flows.reports"), autoescape=True, undefined=StrictUndefined
    )
    evidence = report["evidence"]
    text = environment.get_template("rollout.html").render(
        report=report,
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        style=_STYLES.get(report["state"], "wait"),
        began=_minute(report["started_at"]),
        ended=report["ended_at"] and _minute(report["ended_at"]),
        verdict=evidence.get("verdict"),
        waits_for=[] if report["ended_at"] else evidence.get("waits_for", []),
        tables=tables_of(evidence),
        classes=classes_of(evidence),
        forest=_forest(evidence.get("gains", {}), float(report["policy"]["margin"])),
        decisions=[_decision(entry) for entry in report["decisions"]],
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def _forest(gains: Mapping[str, Any], margin: float) -> dict[str, Any] | None:
    """Gains with their intervals as places on an axis, in per cent of its width."""
    if not gains:
        return None
    known = [v for gain in gains.values() for v in (gain["low"], gain["high"], gain["mean"])]
    reach = max(_LEAST_REACH, 2 * margin, *(abs(v) for v in known if v is not None)) * 1.1

    def place(value: float | None, otherwise: float) -> float:
        return otherwise if value is None else round(50 + 50 * value / reach, 2)

    return {
        "zero": 50.0,
        "margin": place(-margin, 50.0),
        "ends": (signed(-reach), signed(reach)),
        "rows": [
            {
                "group": group,
                "low": place(g["low"], 0.0),
                "high": place(g["high"], 100.0),
                "mean": None if g["low"] is None else place(g["mean"], 50.0),
                "said": signed(None if g["low"] is None else g["mean"]),
                "interval": between(g, "+.3f") or "not known yet",
                "blocks": g["blocks"],
                "style": _side(g),
            }
            for group, g in gains.items()
        ],
    }


def _side(gain: Mapping[str, float | None]) -> str:
    """Is it certain to which side of nothing a gain is?"""
    low, high = gain["low"], gain["high"]
    if low is not None and low > 0:
        return "good"
    return "bad" if high is not None and high < 0 else "open"


def _decision(entry: Mapping[str, Any]) -> dict[str, str]:
    gain = entry["evidence"].get("gains", {}).get("all")
    frames = entry["evidence"].get("frames")
    known = "" if gain is None else f"{signed(gain['mean'])} ({between(gain, '+.3f') or '?'})"
    return {
        "at": _minute(entry["at"], seconds=True),
        "action": entry["action"],
        "author": entry["author"],
        "reason": entry["reason"],
        "frames": "" if frames is None else number(frames),
        "gain": known,
    }


def _minute(at: str, *, seconds: bool = False) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M{':%S' if seconds else ''}}"
