"""Errors of the control service, and what a role may not do, as notices on the page."""

import json
from collections.abc import Callable
from html import escape
from typing import TypeVar

import gradio as gr

from serve.web.access.roles import Role, objection
from streetloop.errors import StreetloopError

T = TypeVar("T")


def asked(question: Callable[[], T]) -> T:
    """Ask the control service.

    Args:
        question: Calls it.

    Raises:
        gr.Error: The service raised an error; the page shows it as a notice.
    """
    try:
        return question()
    except StreetloopError as error:
        raise gr.Error(escape(str(error)), title="Not done", print_exception=False) from error


def require(request: gr.Request, needed: Role) -> None:
    """Check that a visitor of the page may do something.

    Args:
        request: Its user is the name of a role, as the page's own check of tokens says.
        needed: The role that it takes.

    Raises:
        gr.Error: The visitor's role may not; the page shows it as a notice.
    """
    reason = objection(Role[str(request.username).upper()], needed)
    if reason is not None:
        raise gr.Error(reason, title="Not done", print_exception=False)


def confirming(question: str) -> str:
    """JavaScript for the ``js`` of a button: a press counts only if the question is answered yes.

    Args:
        question: Says what will happen.
    """
    asks = f"if (!confirm({json.dumps(question)})) throw new Error('not wanted');"
    return f"(...given) => {{ {asks} return given; }}"
