"""What is wrong with the fields of a form, beside them."""

import json
from collections.abc import Callable, Collection
from html import escape
from typing import Any, TypeVar

import gradio as gr

from serve.web.app.notices import asked
from streetloop.errors import FieldsInvalid

T = TypeVar("T")

SHOW_FAULTS = "(said) => { window.streetloopFieldFaults(said); return []; }"
"""JavaScript for the ``js`` of an event; its input is a `fault_holder`, whose faults it shows."""


def field_id(form: str, field: str) -> str:
    """The ``elem_id`` of a field, by which the page finds it.

    >>> field_id("camera", "fps")
    'sl-camera-fps'

    Args:
        form: Name of the form, one of the page.
        field: Name of the field, as the error has it.
    """
    return f"sl-{form}-{field}"


def fault_holder() -> gr.Textbox:
    """Holds what `judged` said last; it is not seen."""
    return gr.Textbox("", visible=False)


def judged(form: str, fields: Collection[str], question: Callable[[], T]) -> tuple[T | None, str]:
    """Ask the control service for what the fields of a form say.

    Args:
        form: Name of the form.
        fields: Names of its fields.
        question: Asks.

    Returns:
        The answer, or None if fields are wrong; and what is wrong with them, for `fault_holder`.

    Raises:
        gr.Error: The service raised an error that no field can say; the page shows it as a notice.
    """
    try:
        return asked(question), no_faults(form)
    except gr.Error as error:
        why = error.__cause__
        if not isinstance(why, FieldsInvalid) or not (here := why.faults.keys() & set(fields)):
            raise
        elsewhere = [escape(text) for name, text in why.faults.items() if name not in here]
        if elsewhere:
            gr.Warning("; ".join(elsewhere), title="Not done")
        return None, _written(form, {name: why.faults[name] for name in fields if name in here})


def no_faults(form: str) -> str:
    """What `judged` says of a form without a fault.

    Args:
        form: Name of the form.
    """
    return _written(form, {})


def has_faults(said: str) -> bool:
    """Whether `judged` found a fault.

    Args:
        said: From `fault_holder`.
    """
    return bool(said) and bool(json.loads(said)["faults"])


def _written(form: str, faults: dict[str, str]) -> str:
    document: dict[str, Any] = {
        "form": f"sl-{form}-",
        "faults": {field_id(form, name): text for name, text in faults.items()},
    }
    return json.dumps(document)
