"""Errors of the control service as notices on the page."""

from collections.abc import Callable
from html import escape
from typing import TypeVar

import gradio as gr

from streetloop.errors import StreetloopError

T = TypeVar("T")


def asked(question: Callable[[], T]) -> T:
    """The answer of the control service.

    Raises:
        gr.Error: It raised an error; the page shows it.
    """
    try:
        return question()
    except StreetloopError as error:
        raise gr.Error(escape(str(error)), title="Not done", print_exception=False) from error
