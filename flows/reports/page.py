"""Report pages: templates, with plots and pictures inside the HTML."""

import base64
import io
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from streetloop.images import encode_jpeg
from streetloop.types import Image


def render_page(name: str, **values: Any) -> str:
    """Render a template of the reports.

    Args:
        name: File name in ``templates`` without ``.html``.
        values: Its variables; a missing one is an error.
    """
    loader = PackageLoader("flows.reports")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return environment.get_template(f"{name}.html").render(**values)


def png_data(figure: Figure) -> str:
    """A plot as the base64 of a PNG."""
    sink = io.BytesIO()
    figure.savefig(sink, format="png")
    return base64.b64encode(sink.getvalue()).decode()


def jpeg_data(image: Image) -> str:
    """An image (height, width, 3), blue first, as the base64 of a JPEG."""
    return base64.b64encode(encode_jpeg(image)).decode()


def hide_frame(axes: Axes) -> None:
    """Hide the upper and the right edge of a plot."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
