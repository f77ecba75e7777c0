"""Incidents, the incident report, and traces."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from serve.web.api.problems import problems
from streetloop.control.port import Control
from streetloop.control.report_views import IncidentView, ReportView, SimilarIncident, TraceView

_TIME = "a time, or a duration before now such as 24h or 7d"


class ReportRequest(BaseModel):
    """What a report is to be about."""

    since: str = Field(default="24h", max_length=64, description=_TIME)
    cameras: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=1000)


def report_routes(control: Control) -> APIRouter:
    """The endpoints of incidents, reports and traces.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))

    @routes.post("/reports", summary="What happened, why, what was done and what is to be done")
    def report(request: ReportRequest) -> ReportView:
        return control.incident_report(request.since, request.cameras)

    @routes.get("/reports/page", summary="The same as a page, by templates", response_class=HTMLResponse)
    def page(since: Annotated[str, Query(max_length=64, description=_TIME)] = "24h") -> HTMLResponse:
        return HTMLResponse(control.incident_page(control.incident_report(since, worded=False)))

    @routes.get("/incidents", summary="Incidents, the newest first")
    def incidents(
        since: Annotated[str, Query(max_length=64, description=_TIME)] = "7d",
    ) -> list[IncidentView]:
        return control.incidents(since)

    @routes.get(
        "/incidents/{incident}/similar",
        summary="Past incidents like one",
        responses=problems(_404="no such incident"),
    )
    def similar(
        incident: Annotated[int, Path(ge=1, le=2**31 - 1)], limit: Annotated[int, Query(ge=1, le=50)] = 5
    ) -> list[SimilarIncident]:
        return control.similar_incidents(incident, limit)

    @routes.get(
        "/trace",
        summary="The way of a frame: events, label, dataset, versions, rollouts",
        responses=problems(_404="no such thing"),
    )
    def trace(
        of: Annotated[str, Query(min_length=1, max_length=200, description="an id, such as event:417")],
    ) -> TraceView:
        return control.trace(of)

    return routes
