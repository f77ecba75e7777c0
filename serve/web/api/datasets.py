"""Datasets that are sent."""

from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile

from serve.web.api.problems import problems
from streetloop.control.evaluation_control import DatasetView
from streetloop.control.port import Control


def dataset_routes(control: Control) -> APIRouter:
    """The endpoints of datasets.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["models"], responses=problems(_401="token missing or wrong"))

    @routes.post(
        "/datasets",
        status_code=201,
        summary="Store a dataset: a zip with YOLO's data.yaml or COCO's JSON, and the images",
        responses=problems(
            _400="not a zip, or one with links or paths that lead out of it",
            _413="too large, as it is or unpacked",
            _422="no dataset in it that can be read",
            _503="another one is being imported; Retry-After says when to ask again",
        ),
    )
    def import_archive(
        archive: Annotated[UploadFile, File(description="the zip")],
        images: Annotated[
            str | None, Query(min_length=1, max_length=300, description="COCO: the images' folder in the zip")
        ] = None,
        split: Annotated[
            str | None, Query(max_length=16, description="COCO: `train`, `val` or `test`, of all images")
        ] = None,
    ) -> DatasetView:
        return control.import_archive(archive.file, images, split)

    return routes
