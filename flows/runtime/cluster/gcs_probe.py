"""Asks the head of a Ray who it is, before Ray itself is imported and could hang on it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.unknown_fields import UnknownFieldSet

_ALIVE = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_GET = "/ray.rpc.InternalKVGcsService/InternalKVGet"
_ASK_FOR_METADATA = b"\x0a\x10CLUSTER_METADATA\x12\x07cluster"  # fields 1 and 2: key and namespace
_TIMEOUT_S = 5.0


class NoRay(Exception):
    """Nothing answers there, or something that is no Ray."""


class TokenRefused(Exception):
    """A Ray that asks for a token, and did not get the right one."""


@dataclass(frozen=True, slots=True)
class RayVersions:
    """What a Ray runs.

    Attributes:
        ray: Version of Ray, such as ``2.60.0``.
        python: Version of Python, such as ``3.11.7``; None if the Ray does not say.
    """

    ray: str
    python: str | None


def ask_ray(address: str, token: str | None) -> RayVersions:
    """Ask the head of a Ray for its versions.

    Args:
        address: ``HOST:PORT`` of the head.
        token: Sent along; None for a Ray that asks for none.

    Raises:
        NoRay: No Ray answers there within seconds.
        TokenRefused: It wants another token, or one at all.
    """
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            alive = _call(channel, _ALIVE, b"", token)
            metadata = _call(channel, _GET, _ASK_FOR_METADATA, token)
        except grpc.RpcError as error:
            if error.code() in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}:
                raise TokenRefused from None
            raise NoRay from None
    try:
        (ray,) = _texts(alive)
        stored = next(_texts(metadata), None)
        return RayVersions(ray, None if stored is None else json.loads(stored).get("python_version"))
    except ValueError:
        raise NoRay from None


def _call(channel: grpc.Channel, method: str, request: bytes, token: str | None) -> bytes:
    call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
    headers = () if token is None else (("authorization", f"Bearer {token}"),)
    answer: bytes = call(request, timeout=_TIMEOUT_S, metadata=headers)
    return answer


def _texts(message: bytes) -> Iterator[str]:
    """Field 2 of a message: the version, or the value of a key."""
    fields = UnknownFieldSet(Empty.FromString(message))
    for number in range(len(fields)):
        if fields[number].field_number == 2 and isinstance(data := fields[number].data, bytes):
            yield data.decode()
