"""The labeling interface: made, edited by hand, read back."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.label_studio.config import class_names, find_control, label_config, with_labels
from streetloop.errors import LabelerRefused

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda name: not {"\ufffe", "\uffff"} & set(name)
)


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_comes_back_whatever_classes_are_called(classes: list[str]) -> None:
    control = find_control(label_config(classes), classes)
    assert (control.from_name, control.to_name) == ("label", "image")
    assert list(control.labels.items()) == [(name, name) for name in classes]
    assert class_names(label_config(classes)) == {name: name for name in classes}


@given(st.lists(NAMES, min_size=2, max_size=8, unique=True))
def test_follows_the_models_whose_frames_are_pushed(classes: list[str]) -> None:
    """Of one model first, then of another that shares some of its classes."""
    config = label_config(classes[:2])
    assert with_labels(config, classes[:1]) == config, "nothing is taken away, nothing changes"
    later = with_labels(config, classes[1:])
    assert set(find_control(later, classes).labels) == set(classes)
    colors = [label.get("background") for label in ElementTree.fromstring(later).iter("Label")]
    assert len(set(colors)) == len(colors)


def test_labels_differ_in_colour() -> None:
    labels = ElementTree.fromstring(label_config([str(i) for i in range(40)])).iter("Label")
    assert len({label.get("background") for label in labels}) == 40


def test_nine_classes_have_a_key_and_none_has_that_of_another() -> None:
    def keys(config: str) -> dict[str | None, str | None]:
        return {
            label.get("value"): label.get("hotkey") for label in ElementTree.fromstring(config).iter("Label")
        }

    eleven = [f"class {k}" for k in range(1, 12)]
    assert list(keys(label_config(eleven)).values()) == [*"123456789", None, None]
    by_hand = view(rectangles('<Label value="tram" hotkey="1"/>'))
    assert keys(with_labels(by_hand, ["car", "bus"])) == {"tram": "1", "car": "2", "bus": "3"}


@pytest.mark.parametrize("classes", [["car", "a\x07bell"], ["car", ""], [""], ["a\ufffeb"]])
def test_classes_that_cannot_be_labels(classes: list[str]) -> None:
    for make in (label_config, lambda names: with_labels(label_config(["bus"]), names)):
        with pytest.raises(LabelerRefused, match="not every class can be a label"):
            make(classes)


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
    assert control.labels == {"bus": "omnibus", "tram": "tram", "car": "car"}
    assert class_names(config) == {"omnibus": "bus", "tram": "tram", "car": "car"}
    extended = with_labels(config, ["car", "lorry"])
    assert find_control(extended, ["bus", "lorry"]).labels == {**control.labels, "lorry": "lorry"}
    for kept in ('<Choice value="day"', "a remark", 'hotkey="b"', 'className="x"'):
        assert kept in extended


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "not XML"),
        ("<View>", "not XML"),
        ("<View></View>", "no RectangleLabels"),
        (view(rectangles(CAR, BUS, to="other")), "no RectangleLabels"),
        (view(rectangles(CAR, BUS)).replace("$image", "$picture"), "no RectangleLabels"),
        (view(rectangles(CAR, BUS)).replace("Rectangle", "Ellipse"), "no RectangleLabels"),
        ('<!DOCTYPE v [<!ENTITY a "b">]>' + view(rectangles(CAR, BUS)), "entities"),
        (view(" " * 1_000_000), "too large"),
    ],
)
def test_where_no_boxes_can_be_drawn(config: str, says: str) -> None:
    for read in (lambda: find_control(config, ["car"]), lambda: class_names(config)):
        with pytest.raises(LabelerRefused, match=says):
            read()
