"""The pictures of a request."""

from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from serve.web.uploads import decode_upload
from streetloop.errors import InputRejected
from streetloop.types import Image

MAX_PICTURES = 16
"""In one request; together they have at most `serve.web.uploads.MAX_BYTES`."""

_BINARY = {"type": "string", "format": "binary"}
PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": _BINARY},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "image": {
                            "type": "array",
                            "items": _BINARY,
                            "minItems": 1,
                            "maxItems": MAX_PICTURES,
                            "description": "the field may come several times; each file is a picture",
                        }
                    },
                    "required": ["image"],
                }
            },
        },
    }
}
"""Of the OpenAPI description."""


async def read_pictures(request: Request) -> list[bytes]:
    """The bytes of each picture, from the body itself or from the files of a form.

    Raises:
        InputRejected: The form cannot be read, or has no file, or more than `MAX_PICTURES`.
        HTTPException: The content type is neither that of a picture nor of a form (415).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("image/") or kind == "application/octet-stream":
        return [await request.body()]
    if kind != "multipart/form-data":
        said = kind or "nothing"
        raise HTTPException(415, f"send a picture as image/jpeg, image/png or a form, not {said!r}")
    try:
        async with request.form(max_files=MAX_PICTURES, max_fields=10) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            found = [await file.read() for file in files]
    except (MultiPartException, HTTPException) as error:
        raise InputRejected(f"the form cannot be read: {_reason(error)}") from error
    if not found:
        raise InputRejected("the form has no file; send the picture as the field 'image'")
    return found


def decode_picture(data: bytes, number: int, count: int) -> Image:
    """One of the pictures of a request; see `decode_upload`.

    Args:
        data: The encoded picture.
        number: Which one it is, from 1.
        count: How many there are.

    Raises:
        InputRejected: It is not acceptable; the message says which one of several it is.
    """
    try:
        return decode_upload(data)
    except InputRejected as error:
        if count == 1:
            raise
        raise type(error)(f"picture {number} of {count}: {error}") from error


def _reason(error: MultiPartException | HTTPException) -> str:
    said = error.message if isinstance(error, MultiPartException) else error.detail
    return f"more than {MAX_PICTURES} files" if said.startswith("Too many files") else said
