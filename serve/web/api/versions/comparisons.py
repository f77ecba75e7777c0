"""Two versions beside each other."""

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from serve.web.api.models import VersionName
from serve.web.api.problems import problems
from streetloop.control.port import Control
from streetloop.control.versions.comparison import VersionComparisonView
from streetloop.control.versions.comparison_details import ComparisonDetailsView

ImageDigest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of an image")]


def comparison_routes(control: Control) -> APIRouter:
    """The endpoints of comparisons.

    Args:
        control: Answers them.
    """
    routes = APIRouter(
        prefix="/models/{version}/compare/{other}",
        tags=["models"],
        responses=problems(_401="token missing or wrong"),
    )
    missing = problems(_404="no such version")
    nothing = problems(_404="no such version, or no dataset on which both were evaluated")

    @routes.get("", summary="Two versions by slice and class, from what is on record", responses=missing)
    def compare(version: VersionName, other: VersionName) -> VersionComparisonView:
        return control.compare_versions(version, other)

    @routes.get(
        "/details",
        summary="Precision by recall of both, and the frames on which they differ most",
        responses=nothing,
    )
    def details(version: VersionName, other: VersionName) -> ComparisonDetailsView:
        return control.compare_details(version, other)

    @routes.get(
        "/curves.csv",
        summary="Precision by recall of both, as a table",
        response_class=Response,
        responses=nothing | {200: {"content": {"text/csv": {}}}},
    )
    def curves(version: VersionName, other: VersionName) -> Response:
        found = control.compare_details(version, other)
        name = f"streetloop_versions-{found.first}-{found.second}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(curves_as_csv(found), media_type="text/csv", headers=headers)

    @routes.get(
        "/frames/{image}.jpg",
        summary="A frame on which they differ, without boxes",
        response_class=Response,
        responses=nothing | {200: {"content": {"image/jpeg": {}}}},
    )
    def frame(version: VersionName, other: VersionName, image: ImageDigest) -> Response:
        return Response(control.compared_image(version, other, image), media_type="image/jpeg")

    return routes


def curves_as_csv(details: ComparisonDetailsView) -> str:
    """A row a point: class (empty for all), version, recall, precision.

    Args:
        details: The curves.
    """
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(("class", "version", "recall", "precision"))
    for pair in details.curves:
        name = pair.name or ""
        name = f"'{name}" if name.startswith(("=", "+", "-", "@")) else name  # no formula of a sheet
        for number, curve in ((details.first, pair.first), (details.second, pair.second)):
            points = zip(details.recalls, curve, strict=True)
            table.writerows((name, number, at, value) for at, value in points if value is not None)
    return written.getvalue()
