"""Label Studio's labeling interface in XML: generated from class names, and parsed."""

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from streetloop.errors import ConfigError, LabelerRefused

_MAX_CHARS = 1_000_000
_HUE_STEP = 0.381966  # the golden angle: neighboring classes get different colors


@dataclass(frozen=True, slots=True)
class LabelControl:
    """The controls of a labeling interface with which boxes are drawn.

    Attributes:
        from_name: Name of the ``RectangleLabels``.
        to_name: Name of the ``Image`` that it draws on.
        names: Class names in Label Studio by class id.
    """

    from_name: str
    to_name: str
    names: tuple[str, ...]

    @property
    def class_ids(self) -> Mapping[str, int]:
        """Class id by class name in Label Studio."""
        return {name: class_id for class_id, name in enumerate(self.names)}


def label_config(classes: Sequence[str]) -> str:
    """Generate the labeling interface for boxes of these classes.

    >>> find_control(label_config(["car", "bus"]), ["car", "bus"])
    LabelControl(from_name='label', to_name='image', names=('car', 'bus'))

    Args:
        classes: Class names; their order is that of the buttons.

    Raises:
        ConfigError: A class cannot be the name of a label.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$about", size="5")
    ElementTree.SubElement(view, "Image", name="image", value="$image", zoom="true")
    labels = ElementTree.SubElement(view, "RectangleLabels", name="label", toName="image")
    for class_id, name in enumerate(classes):
        ElementTree.SubElement(labels, "Label", value=name, background=_color(class_id))
    text = ElementTree.tostring(view, encoding="unicode")
    try:
        # Control characters or duplicate names would only fail later, before an annotator's eyes.
        find_control(text, classes)
    except LabelerRefused as error:
        raise ConfigError(f"not every class can be a label in Label Studio: {error}") from error
    return text


def find_control(config: str, classes: Sequence[str]) -> LabelControl:
    """Find the controls for our classes in an interface that may have been edited by hand.

    Args:
        config: XML of the interface.
        classes: Names that a control must have.

    Raises:
        LabelerRefused: They are missing; the message says which, and the way out.
    """
    root = _parse(config)
    images = {image.get("name", "") for image in root.iter("Image") if image.get("value") == "$image"}
    controls = [c for c in root.iter("RectangleLabels") if c.get("toName") in images]
    if not images or not controls:
        raise LabelerRefused(
            'the labeling interface has no RectangleLabels on an Image of value="$image" any'
            " more; put them back in the project's settings, or choose another project title"
        )
    found = [(control, _names(control)) for control in controls]
    lacking = [[name for name in classes if name not in names] for _, names in found]
    best = min(range(len(found)), key=lambda i: len(lacking[i]))
    if lacking[best] or len(set(classes)) != len(classes):
        missing = ", ".join(repr(name) for name in lacking[best]) or "two classes of one name"
        raise LabelerRefused(
            f"the labeling interface lacks {missing}; add each as a Label of the RectangleLabels"
            " in the project's settings, or choose another project title"
        )
    control, names = found[best]
    return LabelControl(
        control.get("name", ""), control.get("toName", ""), tuple(names[name] for name in classes)
    )


def _parse(config: str) -> ElementTree.Element:
    # Entities can blow up a short document; a labeling interface needs none.
    if len(config) > _MAX_CHARS or "<!DOCTYPE" in config:
        raise LabelerRefused("the labeling interface is too large or declares entities")
    try:
        return ElementTree.fromstring(config)
    except (ElementTree.ParseError, ValueError) as error:
        raise LabelerRefused(f"the labeling interface is not XML: {error}") from error


def _names(control: ElementTree.Element) -> dict[str, str]:
    """The name of each label in results, by the label's value: its alias, if it has one."""
    values = {value: label for label in control.iter("Label") if (value := label.get("value"))}
    return {value: label.get("alias") or value for value, label in values.items()}


def _color(class_id: int) -> str:
    red, green, blue = colorsys.hsv_to_rgb(class_id * _HUE_STEP % 1, 0.75, 0.9)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
