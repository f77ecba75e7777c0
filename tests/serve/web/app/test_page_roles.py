"""What a visitor of the page may change is what the API lets them change."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any, cast

import gradio as gr
import pytest

from serve.web.access.roles import Role
from serve.web.app.page import build_page
from streetloop.control.port import Control
from streetloop.errors import NotFound
from tests.support.control_service import Content

CHANGES = {
    name
    for name, method in inspect.getmembers(Control, inspect.isfunction)
    if "author" in inspect.signature(method).parameters
} | {"confirm_labels", "import_archive", "register_model", "reopen_labels", "try_camera", "unmute"}
"""Calls of the control service that a viewer may not make."""


FITS = {"Camera": "(a new camera)", "Counting lines": "", "Classes": "", "Frames per second": ""}
"""What fields are given whose content is read before anything is changed, by their labels."""


class _Spy:
    """The control service; changes are noted and not made."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.changes: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return self._noted(name) if name in CHANGES else getattr(self._control, name)

    def _noted(self, name: str) -> Callable[..., Any]:
        def note(*_: Any, **__: Any) -> Any:
            self.changes.add(name)
            raise NotFound("it is only noted")

        return note


def _press_everything(content: Content, role: Role) -> set[str]:
    """Call what is behind every button, choice and timer of the page; the changes asked for."""
    spy = _Spy(content.service)
    page = build_page(cast("Control", spy), can_log_out=True)
    visitor = gr.Request(username=str(role))
    for function in page.fns.values():
        if function.fn is None:
            continue
        parameters = inspect.signature(function.fn).parameters.values()
        takes_visitor = any(one.annotation is gr.Request for one in parameters)
        given = [*([visitor] if takes_visitor else []), *(_fitting(field) for field in function.inputs)]
        with contextlib.suppress(Exception):  # what it is given fits few of them
            function.fn(*given)
    return spy.changes


def _fitting(field: Any) -> str:
    return FITS.get(getattr(field, "label", None) or "", "1")


def test_a_viewer_changes_nothing_whatever_they_press(content: Content) -> None:
    assert _press_everything(content, Role.VIEWER) == set()


def test_an_operator_changes_no_camera(content: Content) -> None:
    changes = _press_everything(content, Role.OPERATOR)
    assert {"acknowledge", "learn"} <= changes
    assert not [name for name in changes if "camera" in name]


@pytest.mark.parametrize("change", ["acknowledge", "put_camera", "remove_camera", "learn", "try_camera"])
def test_an_admin_may(content: Content, change: str) -> None:
    assert change in _press_everything(content, Role.ADMIN)
