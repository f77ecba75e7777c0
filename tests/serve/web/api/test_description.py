"""Whatever fits the description, and what does not: answers are as it says, and never a 5xx."""

import contextlib
from collections.abc import Callable
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serve.web.api.create import create_api
from streetloop.control.port import Control
from tests.support.control_service import (
    Content,
    Screens,
    api_of,
    guard_of,
    jpeg,
    register_versions,
    see_a_car,
)

_EXAMPLES = 40
_ENDLESS = {"GET /events/stream"}
_BEARER = {"authorization": "Bearer secret"}
_CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of a control service with everything in it; changes of one example stay for the next."""
    content = Content(tmp_path_factory.mktemp("service")).fill()
    register_versions(content)
    client = api_of(content, "secret", Screens(a40=(1, jpeg())))
    return schemathesis.openapi.from_asgi("/openapi.json", client.app)


def _operations() -> list[str]:
    """What the description names, of a control service that is never asked."""
    nobody = cast(Control, object())
    paths = create_api(see_a_car, (), 0.25, guard_of(None), nobody, Screens()).openapi()["paths"]
    found = [f"{method.upper()} {path}" for path, known in paths.items() for method in known]
    return [one for one in found if one not in _ENDLESS]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", _operations())
def test_answers_are_as_described(description: Any, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split()
    cases = description[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=_EXAMPLES,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(case=cases)
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers=_BEARER)
        if operation == "GET /ready":  # a 503 is what it is for, as long as no camera is live
            assert answer.status_code == 503
        else:
            case.validate_response(answer, checks=_CHECKS)

    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong about what takes nothing
        ask()
