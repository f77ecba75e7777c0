"""Every error leaves as a problem document (RFC 9457)."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from streetloop import errors

MEDIA_TYPE = "application/problem+json"

_TITLES: dict[type[errors.StreetloopError], tuple[int, str]] = {
    errors.InputTooLarge: (413, "Content Too Large"),
    errors.InputRejected: (400, "Bad Request"),
    errors.NotFound: (404, "Not Found"),
    errors.ChangedMeanwhile: (412, "Precondition Failed"),
    errors.ConfigError: (422, "Unprocessable Content"),
    errors.RolloutError: (409, "Conflict"),
    errors.LearningError: (409, "Conflict"),
}


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problems(**texts: str) -> dict[int | str, dict[str, Any]]:
    """The error responses of an endpoint, for the OpenAPI description.

    Args:
        texts: When each is given, by status: ``_404="no such camera"``.
    """
    schema = Problem.model_json_schema()
    return {
        int(status.strip("_")): {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, text in texts.items()
    }


def problem(status: int, title: str, detail: str) -> JSONResponse:
    """A problem document as a response.

    Args:
        status: HTTP status.
        title: The status in words.
        detail: What went wrong; characters that UTF-8 cannot encode are replaced.
    """
    detail = detail.encode(errors="replace").decode()
    body = Problem(title=title, status=status, detail=detail).model_dump()
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def explain_errors(api: FastAPI) -> None:
    """Make every error of an application leave as a problem document."""
    api.add_exception_handler(errors.StreetloopError, _ours)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    status, title = _TITLES.get(_kind(error), (503, "Service Unavailable"))
    detail = str(error)
    if isinstance(error, errors.DetectorError):
        detail = f"the detector does not answer: {detail}"
    response = problem(status, title, detail)
    if isinstance(error, errors.QueueFull):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _kind(error: Exception) -> type[Any]:
    return next((kind for kind in type(error).__mro__ if kind in _TITLES), Exception)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    response = problem(error.status_code, "Request refused", str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    # The boundary of the service; the server logs the error itself.
    return problem(500, "Internal Server Error", f"the service failed: {type(error).__name__}")


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(422, "Unprocessable Content", f"{where}: {first['msg']}")
