"""The detector behind Ray Serve, called from another process."""

from typing import Any

import ray
import ray.serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle, DeploymentResponse

from serve.detector.client import Answer, Pending
from serve.detector.deployment import cause_of
from serve.rollout.route_table import CHAMPION
from streetloop.errors import AnswerInvalid, AnswerLate, DetectorError
from streetloop.types import Image


class ServeDetector:
    """A `serve.detector.client.DetectorClient` of a Serve application in this Ray cluster.

    Args:
        application: Its name.

    Raises:
        DetectorError: There is no such application.
    """

    def __init__(self, application: str = CHAMPION) -> None:
        try:
            self._handle: DeploymentHandle[Any] = ray.serve.get_app_handle(application)
        except (RayError, RayServeException) as error:
            raise DetectorError(f"{application}: {cause_of(error)}") from error

    def submit(self, images: Image) -> Pending:
        """See `DetectorClient.submit`; the pixels go through Ray's object store once."""
        reference = ray.put(images)
        method = self._handle.detect
        _answer_at_once(method)
        response: Any = method.remote([reference])
        return _ServePending(response, reference)


def _answer_at_once(handle: "DeploymentHandle[Any]") -> None:
    """Have replicas answer in one message, not in a stream of two.

    Serve asks for a stream, of which the first message says whether the replica has room. A replica
    ends a stream on its event loop, and waits there until the caller has taken it: one worker that
    stands still, or is behind a cable that was cut, would stop the detector of all cameras. In one
    message, as Serve itself asks where streams are not possible, nobody is waited for. The room of
    a replica is not needed: what callers have under way is bounded.

    Args:
        handle: Whose router is known by now. Until it has heard of replicas, it stays as it is: the
            lengths of their queues would be asked for before each call otherwise.
    """
    router = handle._router._asyncio_router  # type: ignore[union-attr]
    if router._request_router is not None:
        router._enable_strict_max_ongoing_requests = False


class _ServePending:
    def __init__(self, response: "DeploymentResponse[Answer]", reference: "ray.ObjectRef[Image]") -> None:
        self._response = response
        self._reference = reference  # keeps the pixels alive until the answer is there

    def result(self, timeout_s: float) -> Answer:
        try:
            answer: Answer = self._response.result(timeout_s=timeout_s)
        except TimeoutError as error:
            self._response.cancel()  # type: ignore[no-untyped-call]
            raise AnswerLate(f"no answer within {timeout_s:g} s") from error
        except (RayError, RayServeException) as error:
            raise _translated(error) from error
        return answer


def _translated(error: Exception) -> DetectorError:
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, AnswerInvalid) else DetectorError(cause_of(error))
