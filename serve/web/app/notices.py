"""Errors of the control service as notices on the page."""

from collections.abc import Callable
from html import escape
from typing import TypeVar

import gradio as gr

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
