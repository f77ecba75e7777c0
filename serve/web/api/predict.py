"""The endpoint that detects in pictures."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from serve.web.api.problems import problems
from serve.web.prediction.formats import (
    FORMATS,
    OneAnswer,
    PictureDetections,
    PredictionFormat,
    SeveralAnswers,
)
from serve.web.prediction.pictures import PICTURE_BODY, decode_picture, read_pictures
from streetloop.drawing.boxes import draw_boxes
from streetloop.errors import ConfigError
from streetloop.images import encode_jpeg, encode_png
from streetloop.types import Detections, Image

DetectImage: TypeAlias = Callable[[Image], Awaitable[tuple[str, Detections]]]
"""Model version and detections of one picture (H, W, 3), blue first, in its pixels."""

_JPEG, _PNG = "image/jpeg", "image/png"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "boxes, or with `annotate` a picture", "content": {_JPEG: {}, _PNG: {}}},
    **problems(
        _400="not a picture",
        _401="token missing or wrong",
        _413="too large",
        _415="wrong content type",
        _503="the detector does not answer",
    ),
}


def predict_route(detect: DetectImage, names: tuple[str, ...], confidence: float) -> APIRouter:
    """Detections of pictures that are sent.

    Args:
        detect: Detects in one picture.
        names: Class names by class id.
        confidence: Least confidence of a box in an answer.
    """
    routes = APIRouter(tags=["predict"])

    async def find(data: bytes, number: int, count: int) -> tuple[Image, PictureDetections]:
        image = await run_in_threadpool(decode_picture, data, number, count)
        version, found = await detect(image)
        height, width = image.shape[:2]
        confident = found.take(found.confidence >= confidence)
        return image, PictureDetections(version, width, height, confident, names)

    @routes.post(
        "/predict",
        response_model=OneAnswer | SeveralAnswers,
        openapi_extra=PICTURE_BODY,
        responses=_ANSWERS,
        summary="Detections in one picture, or in several of a form",
    )
    async def predict(
        pictures: Annotated[list[bytes], Depends(read_pictures)],
        layout: Annotated[
            PredictionFormat, Query(alias="format", description="whose JSON the boxes are")
        ] = "native",
        annotate: Annotated[
            bool, Query(description="answer the picture with its boxes: JPEG, or PNG where Accept names it")
        ] = False,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        if annotate:
            _refuse_two_answers(pictures, layout)
            return await run_in_threadpool(_annotated, *await find(pictures[0], 1, 1), accept)
        # One after the other: decoded at once, they could be gigabytes.
        answers = [
            FORMATS[layout]((await find(data, number, len(pictures)))[1])
            for number, data in enumerate(pictures, 1)
        ]
        answer = answers[0] if len(answers) == 1 else answers
        # As a response of our own: FastAPI would check and convert it all once more.
        return Response(to_json(answer, by_alias=True), media_type="application/json")

    return routes


def _refuse_two_answers(pictures: Sequence[bytes], layout: PredictionFormat) -> None:
    if len(pictures) > 1:
        raise ConfigError(f"annotate=1 answers one picture, and {len(pictures)} were sent")
    if layout != "native":
        raise ConfigError(f"annotate=1 answers a picture; format={layout} is of an answer in JSON")


def _annotated(image: Image, one: PictureDetections, accept: str) -> Response:
    drawn = draw_boxes(image, one.found, one.names, one.width, with_confidence=True)
    if _PNG in accept and _JPEG not in accept:
        return Response(encode_png(drawn), media_type=_PNG)
    return Response(encode_jpeg(drawn), media_type=_JPEG)
