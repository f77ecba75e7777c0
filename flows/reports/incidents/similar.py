"""Past incidents like one: by what is said of them, and by their facts."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from flows.reports.incidents.embeddings import embed, tf_idf
from streetloop.control.report_views import IncidentView, SimilarIncident

_Similarities = NDArray[np.float64]
"""(asked, past) similarities, 0 to 1."""

Embed = Callable[[Sequence[str]], tuple[NDArray[np.float64], str]]
"""Vectors of length 1, one a text, and how they were made."""

_TEXT, _KINDS, _CAUSE = 1.0, 0.5, 0.5
_HOUR, _LENGTH, _CAMERAS = 0.25, 0.25, 0.25
_ALL = _TEXT + _KINDS + _CAUSE + _HOUR + _LENGTH + _CAMERAS
_DAY_S = 86_400.0
_UNKNOWN = 0.5  # of the length of an incident that goes on


def describe(incident: IncidentView) -> str:
    """What is said of an incident: by people if they wrote anything, else by the system."""
    return ". ".join(incident.notes) or incident.cause


def by_words(texts: Sequence[str]) -> tuple[NDArray[np.float64], str]:
    """An `Embed` that loads no model, for a report, which must not take long."""
    return tf_idf(texts), "tf-idf"


def most_similar(
    asked: IncidentView, past: Sequence[IncidentView], limit: int, embed_texts: Embed = embed
) -> list[SimilarIncident]:
    """The past incidents that are most like one, the most similar first.

    Args:
        asked: The incident.
        past: Others; itself is left out.
        limit: Most to return.
        embed_texts: Makes vectors of texts.
    """
    return similar_to_each([asked], past, limit, embed_texts)[0]


def similar_to_each(
    asked: Sequence[IncidentView], past: Sequence[IncidentView], limit: int, embed_texts: Embed
) -> list[list[SimilarIncident]]:
    """The same for several incidents at once.

    Similar are incidents whose descriptions mean the same, whose kinds and causes are alike, and
    that came at the same hour, lasted as long and concerned as many cameras.
    """
    if not past or not asked:
        return [[] for _ in asked]
    scores, method = _scores(asked, past, embed_texts)
    found = []
    for one, row in zip(asked, scores, strict=True):
        others = [int(k) for k in np.argsort(-row, kind="stable") if past[int(k)].id != one.id][:limit]
        found.append(
            [SimilarIncident(score=round(float(row[k]), 4), method=method, incident=past[k]) for k in others]
        )
    return found


def _scores(
    asked: Sequence[IncidentView], past: Sequence[IncidentView], embed_texts: Embed
) -> tuple[_Similarities, str]:
    everyone = [*asked, *past]
    vectors, method = embed_texts([*map(describe, everyone), *(one.cause for one in everyone)])
    texts, causes = vectors[: len(everyone)], vectors[len(everyone) :]
    count = len(asked)
    total = (
        _TEXT * np.clip(texts[:count] @ texts[count:].T, 0, 1)
        + _CAUSE * np.clip(causes[:count] @ causes[count:].T, 0, 1)
        + _KINDS * _same_kinds(asked, past)
        + _HOUR * _near_hours(asked, past)
        + _LENGTH * _near(_log_minutes(asked), _log_minutes(past))
        + _CAMERAS * _near(_log_cameras(asked), _log_cameras(past))
    )
    return np.clip(total / _ALL, 0, 1), method


def _same_kinds(asked: Sequence[IncidentView], past: Sequence[IncidentView]) -> _Similarities:
    """Kinds that both have, as a share of those that one of them has."""
    kinds = {kind: k for k, kind in enumerate(sorted({k for one in [*asked, *past] for k in one.kinds}))}

    def rows(incidents: Sequence[IncidentView]) -> NDArray[np.float64]:
        found = np.zeros((len(incidents), len(kinds)))
        for row, one in enumerate(incidents):
            found[row, [kinds[kind] for kind in one.kinds]] = 1
        return found

    first, second = rows(asked), rows(past)
    both = first @ second.T
    either = first.sum(axis=1)[:, None] + second.sum(axis=1) - both
    shared: _Similarities = both / np.maximum(either, 1)
    return shared


def _near_hours(asked: Sequence[IncidentView], past: Sequence[IncidentView]) -> _Similarities:
    """1 at the same time of day, 0 twelve hours apart."""
    apart = np.abs(_second_of_day(asked)[:, None] - _second_of_day(past))
    near: _Similarities = 1 - np.minimum(apart, _DAY_S - apart) / (_DAY_S / 2)
    return near


def _second_of_day(incidents: Sequence[IncidentView]) -> NDArray[np.float64]:
    return np.array([one.started_at.timestamp() % _DAY_S for one in incidents])


def _log_minutes(incidents: Sequence[IncidentView]) -> NDArray[np.float64]:
    """Logarithm of the length in minutes; NaN while it goes on."""
    return np.array([np.log1p(_minutes(one.started_at, one.ended_at)) for one in incidents])


def _minutes(begin: datetime, end: datetime | None) -> float:
    return float("nan") if end is None else max(0.0, (end - begin).total_seconds() / 60)


def _log_cameras(incidents: Sequence[IncidentView]) -> NDArray[np.float64]:
    return np.array([np.log1p(len(one.cameras)) for one in incidents])


def _near(asked: NDArray[np.float64], past: NDArray[np.float64]) -> _Similarities:
    """1 for equal logarithms, 1/e for those that are 1 apart."""
    near = np.exp(-np.abs(asked[:, None] - past))
    return np.where(np.isnan(near), _UNKNOWN, near)
