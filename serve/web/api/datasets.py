"""Datasets that are sent and fetched."""

import os
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, File, Path, Query, UploadFile
from fastapi.responses import StreamingResponse

from serve.web.api.problems import problems
from streetloop.control.evaluation_control import DatasetForm, DatasetView
from streetloop.control.port import Control

_ZIP = "application/zip"
_CHUNK = 2**20


def dataset_file_routes(control: Control) -> APIRouter:
    """The endpoint that gives a dataset back.

    Args:
        control: Answers it.
    """
    routes = APIRouter(tags=["models"], responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/datasets/{digest}.zip",
        summary="A dataset as a zip for another tool; needs an operator",
        response_class=StreamingResponse,
        responses=problems(
            _404="no such dataset",
            _413="too large to send; `streetloop dataset export` writes it",
            _503="another one is being written; Retry-After says when to ask again",
        )
        | {200: {"content": {_ZIP: {}}}},
    )
    def archive(
        digest: Annotated[
            str, Path(pattern="^[0-9a-f]{6,64}$", description="its digest, or the start of it")
        ],
        form: Annotated[
            DatasetForm, Query(description="COCO's JSON by split, or YOLO's data.yaml and text files")
        ] = "coco",
    ) -> StreamingResponse:
        found = control.dataset_archive(digest, form)
        length = found.seek(0, os.SEEK_END)
        found.seek(0)
        name = f"streetloop_dataset-{digest[:12]}-{form}.zip"
        headers = {"content-disposition": f'attachment; filename="{name}"', "content-length": str(length)}
        return StreamingResponse(_read(found), media_type=_ZIP, headers=headers)

    return routes


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


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
