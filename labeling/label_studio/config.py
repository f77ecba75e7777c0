"""Label Studio's labeling interface in XML: generated from class names, extended, and parsed."""

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from streetloop.errors import LabelerRefused

_MAX_CHARS = 1_000_000
_HOT_KEYS = "123456789"
_HUE_STEP = 0.381966  # the golden angle: neighboring classes get different colors


@dataclass(frozen=True, slots=True)
class RectangleControl:
    """The controls of a labeling interface with which boxes are drawn.

    Attributes:
        from_name: Name of the ``RectangleLabels``.
        to_name: Name of the ``Image`` that it draws on.
        labels: What results call a class, by class name: its alias, if it has one.
    """

    from_name: str
    to_name: str
    labels: Mapping[str, str]


def label_config(classes: Sequence[str]) -> str:
    """Generate the labeling interface for boxes of these classes.

    >>> find_control(label_config(["car", "bus"]), ["car", "bus"])
    RectangleControl(from_name='label', to_name='image', labels={'car': 'car', 'bus': 'bus'})

    Args:
        classes: Class names; their order is that of the buttons.

    Raises:
        LabelerRefused: A class cannot be the name of a label.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$about", size="5")
    ElementTree.SubElement(view, "Image", name="image", value="$image", zoom="true")
    labels = ElementTree.SubElement(view, "RectangleLabels", name="label", toName="image")
    _add_labels(labels, classes)
    return _text(view, classes)


def with_labels(config: str, classes: Sequence[str]) -> str:
    """The same interface with a label for each of these classes; all else stays.

    Args:
        config: XML of the interface.
        classes: Class names; those that have no label yet come after those that have one.

    Raises:
        LabelerRefused: As `find_control`, or a class cannot be the name of a label.
    """
    root = _parse(config)
    control = _best(root, classes)
    known = _labels(control)
    missing = [name for name in classes if name not in known]
    if not missing:
        return config
    _add_labels(control, missing)
    return _text(root, classes)


def find_control(config: str, classes: Sequence[str]) -> RectangleControl:
    """Find the control that has most of these classes, in an interface that people may have edited.

    Args:
        config: XML of the interface.
        classes: Class names.

    Raises:
        LabelerRefused: There is no control for boxes; the message has the way out.
    """
    control = _best(_parse(config), classes)
    return RectangleControl(control.get("name", ""), control.get("toName", ""), _labels(control))


def class_names(config: str) -> dict[str, str]:
    """Class name by what results call it, over all controls for boxes.

    Raises:
        LabelerRefused: As `find_control`.
    """
    found: dict[str, str] = {}
    for control in _controls(_parse(config)):
        found |= {label: name for name, label in _labels(control).items()}
    return found


def _best(root: ElementTree.Element, classes: Sequence[str]) -> ElementTree.Element:
    wanted = set(classes)

    def size(control: ElementTree.Element) -> tuple[int, int]:
        known = _labels(control).keys()
        return len(known & wanted), len(known)

    return max(_controls(root), key=size)


def _controls(root: ElementTree.Element) -> list[ElementTree.Element]:
    images = {image.get("name", "") for image in root.iter("Image") if image.get("value") == "$image"}
    controls = [c for c in root.iter("RectangleLabels") if c.get("toName") in images]
    if not controls:
        raise LabelerRefused(
            'the labeling interface has no RectangleLabels on an Image of value="$image" any'
            " more; put them back in the project's settings, or choose another project title"
        )
    return controls


def _add_labels(control: ElementTree.Element, classes: Sequence[str]) -> None:
    there = len(_labels(control))
    taken = {label.get("hotkey") for label in control.iter("Label")}
    free = iter([key for key in _HOT_KEYS if key not in taken])
    for number, name in enumerate(classes, start=there):
        label = ElementTree.SubElement(control, "Label", value=name, background=_color(number))
        if (key := next(free, None)) is not None:
            label.set("hotkey", key)


def _text(root: ElementTree.Element, classes: Sequence[str]) -> str:
    """The XML; refuses names that would only fail later, before an annotator's eyes."""
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        lost = set(classes) - find_control(text, classes).labels.keys()
    except LabelerRefused as error:
        raise LabelerRefused(f"not every class can be a label in Label Studio: {error}") from error
    if lost:
        raise LabelerRefused(f"not every class can be a label in Label Studio: {sorted(lost)[0]!r}")
    return text


def _parse(config: str) -> ElementTree.Element:
    # Entities can blow up a short document; a labeling interface needs none.
    if len(config) > _MAX_CHARS or "<!DOCTYPE" in config:
        raise LabelerRefused("the labeling interface is too large or declares entities")
    keeps_remarks = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    try:
        return ElementTree.fromstring(config, keeps_remarks)
    except (ElementTree.ParseError, ValueError) as error:
        raise LabelerRefused(f"the labeling interface is not XML: {error}") from error


def _labels(control: ElementTree.Element) -> dict[str, str]:
    """What results call each label, by its value: its alias, if it has one."""
    values = {value: label for label in control.iter("Label") if (value := label.get("value"))}
    return {value: label.get("alias") or value for value, label in values.items()}


def _color(number: int) -> str:
    red, green, blue = colorsys.hsv_to_rgb(number * _HUE_STEP % 1, 0.75, 0.9)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
