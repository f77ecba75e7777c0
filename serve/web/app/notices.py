"""Refusals of the house as notices on the page."""

from collections.abc import Callable
from html import escape
from typing import TypeVar

import gradio as gr

from streetloop.errors import StreetloopError

T = TypeVar("T")


def asked(question: Callable[[], T]) -> T:
    """What the house answers.

    Raises:
        gr.Error: It refuses; the page shows why.
    """
    try:
        return question()
    except StreetloopError as error:
        raise gr.Error(escape(str(error)), title="Not done", print_exception=False) from error
