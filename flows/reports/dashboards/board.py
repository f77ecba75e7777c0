"""A dashboard, whatever draws it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """What a panel shows.

    Attributes:
        expr: In PromQL.
        legend: Name of each line; ``{{label}}`` is the value of a label.
    """

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, or a number.

    Attributes:
        title: Its title.
        unit: Unit of its values, by Grafana's names.
        queries: What it shows.
        help: What a viewer should know.
        is_stat: True for a number, the newest value alone.
    """

    title: str
    unit: str
    queries: Sequence[Query]
    help: str = ""
    is_stat: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard.

    Attributes:
        name: Names its file and its address in Grafana.
        title: Its title.
        panels: In the order of reading.
        camera: True if viewers choose cameras; queries then have ``$camera``.
    """

    name: str
    title: str
    panels: Sequence[Panel]
    camera: bool = False
