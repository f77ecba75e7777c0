import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.cameras.camera_file import camera_document, parse_camera, parse_cameras, refuse_uncountable
from streetloop.counted_classes import CountedClasses, class_faults, parse_class_flag, write_class_flag
from streetloop.errors import ConfigError
from streetloop.settings import read_settings

NAMES = ("person", "car", "bus", "truck")
_words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)


def _file(text: str) -> str:
    return f"cameras: [{{id: a, uri: 'rtsp://h/a'{text}}}]"


# What is counted


def test_without_groups_every_class_counts_under_its_own_name() -> None:
    counted = CountedClasses(NAMES, None)
    assert counted.names == NAMES
    assert counted.of_class.tolist() == [0, 1, 2, 3]


def test_votes_of_a_group_are_added() -> None:
    counted = CountedClasses(NAMES, {"car": ("car",), "heavy": ("bus", "truck")})
    assert counted.elected(np.array([0, 1.0, 0.6, 0.6])) == "heavy"
    assert counted.elected(np.zeros(4)) is None


def test_a_counted_class_competes_with_each_other_class_alone() -> None:
    counted = CountedClasses(NAMES, {"car": ("car",)})
    assert counted.elected(np.array([0, 2.0, 1.1, 1.1])) == "car"
    assert counted.elected(np.array([0, 1.0, 1.1, 0])) is None


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"van": ("van",)}, "the model has no class 'van'; it has person, car, bus, truck"),
        ({"a": ("car",), "b": ("car",)}, "'car' is counted under two names"),
    ],
)
def test_what_cannot_be_counted_is_refused(groups: dict[str, tuple[str, ...]], words: str) -> None:
    assert class_faults("camera 'a'", NAMES, groups) == [f"camera 'a': classes: {words}"]


@pytest.mark.parametrize("name", ["", "  ", "a=b", "car\\nbus", "car\\u2028bus", "car\\x07"])
def test_a_name_of_several_lines_names_nothing(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"^cameras: camera 'a': classes: .* is no name: .* of one line"
    ) as no:
        parse_cameras(_file(f', classes: {{"{name}": [car]}}'))
    assert len(str(no.value).splitlines()) == 1


def test_every_class_that_cannot_be_counted_is_named_a_line_each() -> None:
    cameras = parse_cameras(
        "cameras: [{id: a, uri: 'rtsp://h/a', classes: [tram, car, van]}, "
        "{id: b, uri: 'rtsp://h/b', lines: {x: {points: [[0, 0], [1, 1]], classes: [cab]}}}]"
    ).cameras
    with pytest.raises(ConfigError) as caught:
        refuse_uncountable(cameras, {"tank": ("tank",)}, NAMES)
    starts = [line.partition(";")[0] for line in str(caught.value).splitlines()]
    assert starts == [
        "setting 'classes': classes: the model has no class 'tank'",
        "camera 'a': classes: the model has no class 'tram'",
        "camera 'a': classes: the model has no class 'van'",
        "camera 'b': line 'x': classes: the model has no class 'cab'",
    ]


@pytest.mark.parametrize(
    ("text", "setting", "words"),
    [
        ("", ["tram"], "setting 'classes': classes: the model has no class 'tram'"),
        (", classes: [tram]", None, "camera 'a': classes: the model has no class 'tram'"),
        (
            ", lines: {x: {points: [[0, 0], [1, 1]], classes: [tram]}}",
            None,
            "camera 'a': line 'x': classes: the model has no class 'tram'",
        ),
    ],
)
def test_the_place_of_an_unknown_class_is_named(text: str, setting: list[str] | None, words: str) -> None:
    cameras = parse_cameras(_file(text)).cameras
    with pytest.raises(ConfigError, match=words):
        refuse_uncountable(cameras, read_settings(classes=setting).classes, NAMES)


# The flag


@given(st.dictionaries(_words, st.lists(_words, min_size=1, max_size=3, unique=True), min_size=1, max_size=5))
def test_the_flag_is_read_as_it_was_written(groups: dict[str, list[str]]) -> None:
    assert parse_class_flag(write_class_flag({k: tuple(v) for k, v in groups.items()})) == groups


@pytest.mark.parametrize("text", ["", ",", "car,", "car=", "=car", "a=b+", "car,car"])
def test_a_malformed_flag_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^classes "):
        parse_class_flag(text)


# The camera file


def test_a_list_counts_classes_under_their_own_names() -> None:
    camera = parse_cameras(_file(", classes: [car, bus]")).cameras[0]
    assert camera.classes == {"car": ("car",), "bus": ("bus",)}


def test_the_file_has_classes_for_all_cameras() -> None:
    file = parse_cameras("classes: {truck: [truck, bus]}\n" + _file(""))
    assert file.cameras[0].classes is None
    assert read_settings(**file.settings).classes == {"truck": ("truck", "bus")}


def test_the_environment_has_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_CLASSES", '["car"]')
    assert read_settings().classes == {"car": ("car",)}


def test_a_line_may_have_classes() -> None:
    text = ", lines: {x: {points: [[0, 0.5], [1, 0.5]], classes: [car]}}"
    line = parse_cameras(_file(text)).cameras[0].lines["x"]
    assert (line.points, line.classes) == (((0, 0.5), (1, 0.5)), {"car": ("car",)})


@pytest.mark.parametrize(
    "text",
    [
        ", classes: [car]",
        ", lines: {x: [[0.0, 0.5], [1.0, 0.5]]}",
        ", lines: {x: {points: [[0.0, 0.5], [1.0, 0.5]], classes: {heavy: [bus, truck]}}}",
    ],
)
def test_a_document_says_what_the_file_said(text: str) -> None:
    camera = parse_cameras(_file(text)).cameras[0]
    assert parse_camera(camera_document(camera)) == camera


def test_a_line_without_options_is_written_as_its_points() -> None:
    camera = parse_cameras(_file(", lines: {x: [[0, 0.5], [1, 0.5]]}")).cameras[0]
    assert camera_document(camera)["lines"] == {"x": [[0.0, 0.5], [1.0, 0.5]]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (", classes: []", "names no class"),
        (", classes: [car, car]", "names a class twice"),
        (", classes: [1]", "must be a list of class names"),
        (", classes: car", "must be a list of class names, such as"),
        (", classes: {heavy: []}", "counts no class as 'heavy'"),
        (", classes: {'': [car]}", "is no name"),
        (", classes: ['a,b']", "is no name"),
        (", lines: {x: {points: [[0, 0], [1, 1]], colour: red}}", "unknown key"),
    ],
)
def test_what_is_wrong_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        parse_cameras(_file(text))
    assert "\n" not in str(refused.value)
