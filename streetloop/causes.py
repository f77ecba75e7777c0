"""A likely cause of a drift: what drift names, and ledger and views carry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streetloop.json_values import finite_or_none


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely cause of a drift.

    Attributes:
        name: Such as ``night``; `drift.causes` has all of them.
        probability: 0 to 1; None in findings of versions before 0.2.0.
        evidence: What speaks for it, such as ``darker``, the strongest first.
    """

    name: str
    probability: float | None = None
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For people.

        >>> str(Cause("night", 0.934, ("darker", "noisier"))), str(Cause("night"))
        ('night (93 %)', 'night')
        """
        if self.probability is None:
            return self.name
        return f"{self.name} ({100 * self.probability:.0f} %)"


def causes_to_json(causes: Iterable[Cause]) -> list[dict[str, Any]]:
    """Name and probability of each cause, as views have them."""
    return [{"name": cause.name, "probability": _rounded(cause.probability)} for cause in causes]


def evidence_to_json(causes: Iterable[Cause]) -> dict[str, list[str]]:
    """What speaks for each cause, by its name."""
    return {cause.name: list(cause.evidence) for cause in causes}


def causes_to_record(causes: Iterable[Cause]) -> list[dict[str, Any]]:
    """All of each cause, as the ledger keeps it."""
    causes = list(causes)
    views = causes_to_json(causes)
    return [{**view, "evidence": list(c.evidence)} for view, c in zip(views, causes, strict=True)]


def causes_from_json(plain: Sequence[str | Mapping[str, Any]]) -> list[Cause]:
    """Causes from plain values; versions before 0.2.0 wrote names alone.

    >>> [str(cause) for cause in causes_from_json(["fog", {"name": "rain", "probability": 0.25}])]
    ['fog', 'rain (25 %)']
    """
    return [
        Cause(one)
        if isinstance(one, str)
        else Cause(one["name"], one["probability"], tuple(one.get("evidence", ())))
        for one in plain
    ]


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else finite_or_none(probability, 4)
