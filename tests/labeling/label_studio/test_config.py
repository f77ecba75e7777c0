"""The labeling interface: made, edited by hand, read back."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.label_studio.config import find_control, label_config
from streetloop.errors import ConfigError, LabelerRefused

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda name: not {"\ufffe", "\uffff"} & set(name)
)


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_comes_back_whatever_classes_are_called(classes: list[str]) -> None:
    control = find_control(label_config(classes), classes)
    assert (control.from_name, control.to_name) == ("label", "image")
    assert control.names == tuple(classes)
    assert control.class_ids == {name: index for index, name in enumerate(classes)}


def test_labels_differ_in_colour() -> None:
    labels = ElementTree.fromstring(label_config([str(i) for i in range(40)])).iter("Label")
    assert len({label.get("background") for label in labels}) == 40


@pytest.mark.parametrize("classes", [["car", "a\x07bell"], ["car", "car"], [""], ["a\ufffeb"]])
def test_classes_that_cannot_be_labels(classes: list[str]) -> None:
    with pytest.raises(ConfigError, match="not every class can be a label"):
        label_config(classes)


def view(inner: str) -> str:
    return f'<View><Image name="pic" value="$image"/>{inner}</View>'


def rectangles(*labels: str, name: str = "r", to: str = "pic") -> str:
    inside = "".join(labels)
    return f'<RectangleLabels name="{name}" toName="{to}">{inside}</RectangleLabels>'


CAR, BUS = '<Label value="car"/>', '<Label value="bus" hotkey="b"/>'


def test_edited_by_hand() -> None:
    aliased = '<Label value="bus" alias="omnibus"/>'
    more = '<Choices name="c" toName="pic"><Choice value="day"/></Choices>'
    config = view(
        more
        + rectangles(CAR, name="small")
        + f'<View className="x">{rectangles(aliased, BUS.replace("bus", "tram"), CAR)}</View>'
        + "<!-- a remark -->"
    )
    control = find_control(config, ["car", "bus"])
    assert (control.from_name, control.to_name) == ("r", "pic")
    assert control.names == ("car", "omnibus")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "not XML"),
        ("<View>", "not XML"),
        ("<View></View>", "no RectangleLabels"),
        (view(rectangles(CAR, BUS, to="other")), "no RectangleLabels"),
        (view(rectangles(CAR, BUS)).replace("$image", "$picture"), "no RectangleLabels"),
        (view(rectangles(CAR, BUS)).replace("Rectangle", "Ellipse"), "no RectangleLabels"),
        (view(rectangles(CAR)), "lacks 'bus'; add"),
        (view(rectangles()), "lacks 'car', 'bus'; add"),
        ('<!DOCTYPE v [<!ENTITY a "b">]>' + view(rectangles(CAR, BUS)), "entities"),
        (view(" " * 1_000_000), "too large"),
    ],
)
def test_what_our_classes_do_not_fit(config: str, says: str) -> None:
    with pytest.raises(LabelerRefused, match=says):
        find_control(config, ["car", "bus"])
