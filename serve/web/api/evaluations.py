"""Evaluations: a model measured on a dataset."""

from typing import Annotated

from fastapi import APIRouter, Path

from serve.web.api.cameras import AUTHOR, Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.evaluation_control import EvaluationResultView, EvaluationView, NewEvaluation
from streetloop.control.port import Control
from streetloop.control.views import Page


def evaluation_routes(control: Control) -> APIRouter:
    """The endpoints of evaluations.

    Args:
        control: Answers them.
    """
    routes = APIRouter(
        prefix="/evaluations", tags=["models"], responses=problems(_401="token missing or wrong")
    )

    @routes.post(
        "",
        status_code=202,
        summary="Measure a model on a dataset",
        responses=problems(
            _404="no such model or dataset",
            _422="the dataset has no such split or class",
            _503="too many wait; Retry-After says when to ask again",
        ),
    )
    def start(wanted: NewEvaluation) -> EvaluationView:
        return control.start_evaluation(wanted, AUTHOR)

    @routes.get("", summary="Evaluations without their reports, newest first")
    def evaluations(offset: Offset = 0, limit: Limit = 50) -> Page[EvaluationView]:
        return control.evaluations(offset, limit)

    @routes.get(
        "/{number}",
        summary="One evaluation; its result is what `streetloop evaluate --json` prints",
        responses=problems(_404="no such evaluation"),
    )
    def evaluation(number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> EvaluationResultView:
        return control.evaluation(number)

    return routes
