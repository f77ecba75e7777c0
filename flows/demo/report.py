"""The page of the demo's result."""

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure

from flows.demo.plot import plot_curve
from flows.demo.result import BeforeAfterScore, DemoResult
from flows.reports.page import hide_frame, jpeg_data, png_data, render_page
from flows.stream.ingest.accounting import FATES
from serve.rollout.rollout_record import parse_summary
from serve.rollout.rollout_report import interval_in_words, signed
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.boxes import to_detections
from streetloop.city.render.shapes import CLASSES
from streetloop.drawing.boxes import draw_boxes
from streetloop.images import decode_image
from streetloop.ledger import Ledger
from streetloop.ledger.findings import Finding, list_findings
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.ledger.rollouts import Entry, list_decisions, list_rollouts
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Image
from train.model.predictions import read_image

_PAIRS, _LABELED = 3, 12
_BEFORE, _AFTER = "#7a8794", "#1f6feb"


def write_report_page(
    path: Path, result: DemoResult, settings: Settings, ledger: Ledger, store: ObjectStore, began: float
) -> None:
    """Write the page, which needs nothing else; ``began`` is in seconds since 1970."""
    accounts = [
        (name, {fate: getattr(status.account, fate) for fate in FATES})
        for name, status in result.statuses.items()
    ]
    text = render_page(
        "demo",
        closed=result.closed,
        labels=result.labels,
        minutes=result.seconds / 60,
        models=result.models,
        frames=result.frames,
        images=sum(len(found.examples) for found in result.scores),
        plot=_plot(result.scores),
        curve=None if result.curve is None else plot_curve(result.curve, _marks(result, ledger, began)),
        findings=[_finding(finding, began) for finding in list_findings(ledger)],
        pairs=_pairs(result.scores, settings, store),
        moments=result.moments,
        labeled=_labeled(ledger, store),
        zone=settings.timezone,
        decisions=[_decision(entry, settings.zone) for entry in _decisions(ledger)],
        fates=FATES,
        accounts=accounts,
    )
    path.write_text(text, encoding="utf-8")


def _marks(result: DemoResult, ledger: Ledger, began: float) -> list[tuple[float, str]]:
    """What began when, for the curve."""
    words = {"drift": "drift found", "training": "labeled, training begins"}
    marks = [(at, words[name]) for name, at in result.progress.items() if name in words]
    night = result.progress.get("night")
    marks += [] if night is None else [(night, "night falls")]
    for entry in _decisions(ledger):
        if entry.action in {"start", "promoted"}:
            word = {"start": "judged better, shadow", "promoted": "promoted"}[entry.action]
            marks.append((entry.at.timestamp() - began, word))
    return sorted(marks)


def _finding(finding: Finding, began: float) -> dict[str, Any]:
    """A drift that was found, with the features that depart most, the furthest first."""
    known = {k: v for k, v in finding.features.items() if v.get("effect_size") and v["threshold"]}
    shares = {k: v["effect_size"] / v["threshold"] for k, v in known.items()}
    nearest = sorted(shares, key=lambda name: -shares[name])[:4]
    return {
        "camera": finding.camera_id,
        "causes": " or ".join(str(cause) for cause in finding.causes),
        "minute": (finding.opened_at.timestamp() - began) / 60,
        "features": ", ".join(f"{name} {shares[name]:.1f} times the threshold" for name in nearest),
    }


def _plot(scores: Sequence[BeforeAfterScore]) -> str:
    figure = Figure(figsize=(7, 2.6), layout="constrained", dpi=120)
    axes = figure.subplots()
    for k, found in enumerate(scores):
        for shift, when, colour in ((-0.18, "before", _BEFORE), (0.18, "after", _AFTER)):
            value = found.map50[when]
            axes.bar(k + shift, value, 0.32, color=colour, label=when if not k else None)
            axes.text(k + shift, value + 0.02, f"{value:.2f}", ha="center", fontsize=9)
    axes.set_xticks(range(len(scores)), [found.condition for found in scores])
    axes.set_ylim(0, 1.1)
    axes.set_ylabel("mAP50", fontsize=9)
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    hide_frame(axes)
    return png_data(figure)


def _pairs(
    scores: Sequence[BeforeAfterScore], settings: Settings, store: ObjectStore
) -> list[dict[str, str]]:
    """Night frames of several cameras on which most changed."""
    found = scores[-1]
    counts = [
        _shown(after, settings) - _shown(before, settings)
        for before, after in zip(found.found["before"], found.found["after"], strict=True)
    ]
    pairs: dict[str, dict[str, str]] = {}
    for k in np.argsort(counts)[::-1].tolist():
        camera = found.examples[k].camera_id
        if camera not in pairs and len(pairs) < _PAIRS:
            image = read_image(found.examples[k], store)
            sides = {
                when: _jpeg(_drawn(image, found.found[when][k], settings.confidence))
                for when in ("before", "after")
            }
            pairs[camera] = {"camera": camera, **sides}
    return list(pairs.values())


def _shown(boxes: Detections, settings: Settings) -> int:
    return int((boxes.confidence >= settings.confidence).sum())


def _labeled(ledger: Ledger, store: ObjectStore) -> list[dict[str, str]]:
    reviews = [
        review
        for review in list_reviews(ledger, [ReviewState.LABELED, ReviewState.IN_DATASET])
        if review.label is not None
    ]
    frames = []
    for review in reviews[:: max(1, len(reviews) // _LABELED)][:_LABELED]:
        assert review.label is not None
        image = decode_image(store.get(review.image_key))
        why = review.reason + (f", {review.drift}" if review.drift else "")
        boxed = _drawn(image, to_detections(review.label), 0.0)
        frames.append({"camera": review.camera_id, "reason": why, "data": _jpeg(boxed, 320)})
    return frames


def _drawn(image: Image, boxes: Detections, confidence: float) -> Image:
    return draw_boxes(image, boxes.take(boxes.confidence >= confidence), list(CLASSES))


def _jpeg(image: Image, width: int = 520) -> str:
    height = round(image.shape[0] * width / image.shape[1])
    small = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return jpeg_data(small)


def _decisions(ledger: Ledger) -> list[Entry]:
    return [entry for r in reversed(list_rollouts(ledger)) for entry in list_decisions(ledger, r.id)]


def _decision(entry: Entry, zone: tzinfo) -> dict[str, Any]:
    gain = parse_summary(entry).gains.get(EVERYTHING)
    return {
        "at": f"{entry.at.astimezone(zone):%H:%M:%S}",
        "action": entry.action,
        "author": entry.author,
        "reason": entry.reason,
        "gain": signed(gain.mean) if gain else "",
        "interval": interval_in_words(gain, "+.3f") if gain else "",
    }
