"""Charts over time."""

from typing import Annotated

from fastapi import APIRouter, Query

from serve.web.api.problems import problems
from streetloop.control.history.charts import ChartName, ChartView
from streetloop.control.port import Control

_TIME = "ISO 8601 date or time, or a duration before now: `15m`, `1h`, `7d`"


def chart_routes(control: Control) -> APIRouter:
    """The endpoint of charts.

    Args:
        control: Answers it.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/charts",
        summary="How streams, drift, labels and models fared over time",
        responses=problems(_422="wrong chart or time"),
    )
    def charts(
        chart: Annotated[list[ChartName], Query(max_length=20, description="which, in this order")],
        camera: Annotated[
            str | None, Query(max_length=64, description="of this camera; default: a curve for each")
        ] = None,
        since: Annotated[str, Query(alias="from", max_length=64, description=_TIME)] = "1h",
        until: Annotated[
            str | None, Query(alias="to", max_length=64, description=f"{_TIME}; default: now")
        ] = None,
    ) -> list[ChartView]:
        end = None if until is None else _time(until)
        return control.charts(chart, camera, _time(since), end)

    return routes


def _time(text: str) -> str:
    """As `parse_moment` reads it: in a query, a + that is not written as %2B is a space."""
    return text.replace(" ", "+") if "T" in text else text
