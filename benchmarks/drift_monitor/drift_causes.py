"""Fits the classifier of causes of drift, and measures it on clips and cities that it did not see.

    python -m benchmarks.drift_causes [--clips FOLDER] [--rows FILE] [--write]

Evidence comes from pairs of stretches, through the same code as `streetloop drift compare`:

- clips of FOLDER: one half as it is against the other half altered, each family of
  `benchmarks.alterations` drawn several times;
- the simulated city: another hour of each camera by day, as it is, at night, in fog, in rain, with
  a dirty or wet lens, knocked, badly encoded, and altered as the clips are;
- a model or the traffic that changed alone: evidence of unaltered pairs, with that of detections
  drawn.

What is measured is measured on a clip, or a city, that was left out of the fit, each in its turn.
``--write`` brings drift/causes.json up to date with a fit on all of them. ``--rows`` keeps the
evidence, so that another fit needs no pictures.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.linear_model import LogisticRegression

from benchmarks.alterations import FAMILIES
from benchmarks.material import DATA
from benchmarks.report import finish, new_parser, parse_options
from drift.causes import (
    CAUSES,
    COMPRESSION,
    DIRTY,
    FOG,
    MIX,
    MODEL,
    MOVED,
    NIGHT,
    OTHER,
    RAIN,
    read_classifier,
)
from drift.comparison import DetectionPolicy
from drift.evidence import EVIDENCE, evidence_of
from drift.series import changes_between, gather
from streetloop.city.address import Address
from streetloop.city.view import View
from streetloop.city.world.conditions import Condition
from streetloop.city.world.places import PLACES
from streetloop.types import Image
from streetloop.video import VideoReader

FILE = Path(__file__).parents[2] / "drift" / "causes.json"
PICTURES, DRAWS, CITY_DRAWS, SEEDS = 20, 3, 1, 2
_MOSTLY_SAME = 0.3  # weight of unaltered pairs: they are no drift, and only seldom asked about
_LEVEL, _PENALTY = 0.35, 2.0
_SHARES = ("pairs", "first_cause_right", "no_wrong_cause_shown")
_CONDITIONS = {
    "night": NIGHT,
    "dusk": NIGHT,
    "fog": FOG,
    "rain": RAIN,
    "dirty-lens": DIRTY,
    "wet-lens": DIRTY,
    "knocked": MOVED,
    "compressed": COMPRESSION,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of stretches.

    Attributes:
        group: What is left out together: a clip, or a city.
        family: What was done to the second stretch.
        causes: What it is; each is right.
        evidence: By name.
    """

    group: str
    family: str
    causes: tuple[str, ...]
    evidence: dict[str, float]


def row_of(
    group: str, family: str, causes: tuple[str, ...], before: Sequence[Image], since: Sequence[Image]
) -> Row:
    changes = changes_between(gather(before), gather(since), DetectionPolicy())
    return Row(group, family, causes, evidence_of(changes))


def altered(
    group: str, before: Sequence[Image], since: Sequence[Image], draws: int, seed: int
) -> Iterator[Row]:
    """Each family, drawn several times; unaltered pairs once."""
    for name, family in FAMILIES.items():
        for number in range(1 if name == "unaltered" else draws):
            rng = np.random.default_rng((crc32(f"{group} {name}".encode()), number, seed))
            alter = family.draw(rng)
            yield row_of(group, name, family.causes, before, [alter(image) for image in since])


def clip_rows(file: Path) -> Iterator[Row]:
    """Both halves of a clip, each against the other altered."""
    with VideoReader(str(file), str(file)) as reader:
        count = sum(1 for _ in reader.pictures())
    wanted = set(np.linspace(0, count - 1, 2 * PICTURES).astype(int).tolist())
    with VideoReader(str(file), str(file)) as reader:
        pictures = [p.bgr() for k, (_, p) in enumerate(reader.pictures()) if k in wanted]
    first, second = pictures[: len(pictures) // 2], pictures[len(pictures) // 2 :]
    yield from altered(file.stem, first, second, DRAWS, 0)
    yield from altered(file.stem, second, first, DRAWS, 1)


def stretch(address: Address, start_s: float) -> list[Image]:
    view = View(address)
    return [view.render(round((start_s + 3 * k) * address.fps)) for k in range(PICTURES)]


def city_rows(city: str, camera: str, seed: int) -> Iterator[Row]:
    """A simulated camera under each condition, as strong as drawn, and altered."""
    rng = np.random.default_rng((crc32(f"{city}/{camera}".encode()), seed))
    base = replace(Address(city, camera, seed=seed), width=640, height=360)
    before, since = stretch(base, 0), stretch(base, 600)
    for name, cause in _CONDITIONS.items():
        begun = (
            Condition(name, 600 - 300 * rng.uniform(0.45, 1.0), 300.0) if name != "dusk" else Condition(name)
        )
        pictures = stretch(replace(base, conditions=(begun,)), 600)
        yield row_of(city, name, (cause,), before, pictures)
    yield row_of(city, "freight", (OTHER,), before, stretch(replace(base, vehicles="freight"), 600))
    yield from altered(city, before, since, CITY_DRAWS, seed)


def with_detections(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    """The rows as live, where detections change, too, and those of model and traffic alone."""
    found: list[Row] = []
    for row in rows:
        still = row.family in {"unaltered", "freight"}
        found.append(row)
        if not still:
            found.append(_plus(row, row.family, row.causes, rng, detections=0.5, tracks=0.3, traffic=0.2))
            continue
        found.append(_plus(row, "model", (MODEL,), rng, detections=1.0))
        found.append(_plus(row, "traffic", (MIX,), rng, detections=0.5, tracks=0.3, traffic=1.0))
        found.append(_plus(row, "tracks", (OTHER,), rng, tracks=1.0))
    return found


def _plus(
    row: Row,
    family: str,
    causes: tuple[str, ...],
    rng: np.random.Generator,
    detections: float = 0.0,
    tracks: float = 0.0,
    traffic: float = 0.0,
) -> Row:
    """Evidence of detections, each with its probability, beside that of the images."""
    drawn = {
        "detections changed": rng.uniform(0.7, 2.5) * (rng.random() < detections),
        "tracks changed": rng.uniform(0.7, 2.5) * (rng.random() < tracks),
        "other traffic": rng.uniform(0.6, 3.0) * (rng.random() < traffic),
    }
    return Row(row.group, family, causes, {**row.evidence, **drawn})


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """Coefficients, as `read_classifier` reads them."""
    x = np.array([[row.evidence[name] for name in EVIDENCE] for row in rows])
    scale = np.maximum(x.std(axis=0), 0.02)
    pairs = [(k, cause) for k, row in enumerate(rows) for cause in row.causes]
    sizes = {c: sum(1 / len(rows[k].causes) for k, one in pairs if one == c) for c in CAUSES}
    weights = [_weight(rows[k]) / len(rows[k].causes) / np.sqrt(sizes[c] / len(rows)) for k, c in pairs]
    model = LogisticRegression(C=1 / _PENALTY, max_iter=3000)
    model.fit((x / scale)[[k for k, _ in pairs]], [c for _, c in pairs], np.array(weights))
    order = [list(model.classes_).index(c) for c in CAUSES]
    coefficients = model.coef_[order] / scale
    return {
        "causes": list(CAUSES),
        "level": _LEVEL,
        "bias": model.intercept_[order].round(2).tolist(),
        "weights": {name: coefficients[:, k].round(2).tolist() for k, name in enumerate(EVIDENCE)},
    }


def _weight(row: Row) -> float:
    return _MOSTLY_SAME if row.family == "unaltered" else 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a row that was left out."""

    row: Row
    shown: tuple[str, ...]
    probability: float

    @property
    def first_is_right(self) -> bool:
        return self.shown[0] in self.row.causes

    @property
    def none_is_wrong(self) -> bool:
        return set(self.shown) <= set(self.row.causes)


def left_out(rows: Sequence[Row]) -> list[Answer]:
    """Each group answered by a fit on all others."""
    found = []
    for group in sorted({row.group for row in rows}):
        classifier = read_classifier(fit([row for row in rows if row.group != group]))
        for row in rows:
            if row.group == group:
                causes = classifier.diagnose(row.evidence)
                found.append(Answer(row, tuple(c.name for c in causes), causes[0].probability or 0.0))
    return found


def calibration(answers: Sequence[Answer]) -> list[dict[str, float]]:
    """How often the first cause is right, by its probability."""
    bins = [(0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.97), (0.97, 1.01)]
    found = []
    for low, high in bins:
        mine = [a for a in answers if low <= a.probability < high]
        if mine:
            mean, right = np.mean([(a.probability, a.first_is_right) for a in mine], axis=0)
            found.append(
                {
                    "answers": len(mine),
                    "mean_probability": round(float(mean), 3),
                    "right": round(float(right), 3),
                }
            )
    return found


def figures_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """Shares over all, and the first cause by family."""
    by_family: dict[str, dict[str, int]] = {}
    for a in answers:
        counts = by_family.setdefault(a.row.family, {})
        counts[a.shown[0]] = counts.get(a.shown[0], 0) + 1
    return {
        "pairs": len(answers),
        "first_cause_right": _share([a.first_is_right for a in answers]),
        "no_wrong_cause_shown": _share([a.none_is_wrong for a in answers]),
        "calibration": calibration(answers),
        "first_cause_by_family": by_family,
    }


def _share(answers: Sequence[bool]) -> float:
    return round(float(np.mean(answers)), 3)


def collect(folder: Path) -> list[Row]:
    cv2.setNumThreads(1)
    files = sorted(folder.rglob("*.mp4"))
    cameras = [(c, k, s) for c, place in PLACES.items() for k in place.cameras for s in range(SEEDS)]
    rows = [row for file in track(files, "clips") for row in clip_rows(file)]
    return rows + [row for one in track(cameras, "cameras") for row in city_rows(*one)]


def print_answers(answers: Sequence[Answer], title: str) -> None:
    figures = figures_of(answers)
    console = Console(width=150)
    table = Table("family", "pairs", "first right", "none wrong", "first causes", title=title)
    for family, counts in figures["first_cause_by_family"].items():
        mine = [a for a in answers if a.row.family == family]
        right, clean = (np.mean([getattr(a, n) for a in mine]) for n in ("first_is_right", "none_is_wrong"))
        said = ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda i: -i[1]))
        table.add_row(family, str(len(mine)), f"{right:.0%}", f"{clean:.0%}", said)
    console.print(table)
    console.print({k: v for k, v in figures.items() if k != "first_cause_by_family"})


def write(plain: dict[str, Any], figures: dict[str, Any]) -> None:
    """The classifier, a line for each piece of evidence."""
    head = {
        "fitted_by": "python -m benchmarks.drift_causes --write",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "left_out": {name: {key: of[key] for key in _SHARES} for name, of in figures.items()},
    }
    lines = [f"    {json.dumps(name)}: {json.dumps(w)}" for name, w in plain["weights"].items()]
    flat = [f"  {json.dumps(k)}: {json.dumps(v)}," for k, v in {**head, **plain}.items() if k != "weights"]
    FILE.write_text("\n".join(["{", *flat, '  "weights": {', ",\n".join(lines), "  }", "}"]) + "\n")


def rows_of(choice: argparse.Namespace) -> list[Row]:
    if choice.rows is not None and choice.rows.is_file():
        return [
            Row(r["group"], r["family"], tuple(r["causes"]), r["evidence"])
            for r in json.loads(choice.rows.read_text())
        ]
    rows = collect(choice.clips)
    if choice.rows is not None:
        choice.rows.write_text(json.dumps([asdict(row) for row in rows]))
    return rows


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--clips", type=Path, default=DATA / "videos")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--write", action="store_true")
    choice = parse_options(parser)
    rows = with_detections(rows_of(choice), np.random.default_rng(0))
    answers = left_out(rows)
    figures = {}
    for name, chosen in (
        ("clips", [a for a in answers if a.row.group not in PLACES]),
        ("city", [a for a in answers if a.row.group in PLACES]),
    ):
        drifts = [a for a in chosen if a.row.family not in {"unaltered", "freight"}]
        print_answers(drifts, f"{name}, each left out")
        figures[name] = figures_of(drifts)
    if choice.write:
        write(fit(rows), figures)
    finish(choice, figures)


if __name__ == "__main__":
    main()
