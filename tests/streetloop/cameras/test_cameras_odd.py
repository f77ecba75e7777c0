"""Odd camera files: each a ConfigError that shows no password."""

import traceback
from pathlib import Path

import pytest
import yaml

from streetloop.cameras.camera_file import load_cameras, parse_cameras
from streetloop.errors import ConfigError

PASSWORD = "hunter2"
URI = f"rtsp://admin:{PASSWORD}@10.0.0.7/ch1"
GOOD = f"cameras: [{{id: a40, uri: '{URI}'}}]"


def one(keys: str) -> str:
    return f"cameras: [{{id: a40, uri: '{URI}', {keys}}}]"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"cameras: [{{id: a40, uri: 'rtsp://admin:[{PASSWORD}]@10.0.0.7/'}}]", id="brackets"),
        pytest.param(f"cameras: [{{id: a40, uri: 'rtsp://admin:{PASSWORD}℀@10.0.0.7/'}}]", id="NFKC"),
        pytest.param(one(f"'{URI}': 1"), id="address as unknown key of a camera"),
        pytest.param(f"{GOOD}\n'{URI}': 1", id="address as unknown top-level key"),
        pytest.param(f"{GOOD}\nsettings: {{'{URI}': 1}}", id="address as setting"),
        pytest.param(one(f"lines: {{'{URI}': [[0, 0], [0, 0]]}}"), id="address as name of a line"),
    ],
)
def test_no_message_shows_the_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(text, name="city.yaml")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x: 2020-13-45", id="date that does not exist"),
        pytest.param("x: 1" + "0" * 5000, id="long number"),
        pytest.param("x: !!int ''", id="empty int"),
        pytest.param("[" * 3000, id="deep nesting"),
        pytest.param("cameras: !!set {a, b}", id="a set"),
        pytest.param(f"{GOOD}\nsettings: {{image_size: 7}}", id="value of a setting out of bounds"),
        pytest.param(f"{GOOD}\ncameras: [{{id: b1, uri: 'rtsp://h/x'}}]", id="a key twice"),
        pytest.param("cameras: [{id: a, uri: 'rtsp:'}]", id="no host"),
        pytest.param("cameras: [{id: a, uri: 'rtsp://'}]", id="no host either"),
        pytest.param(f"cameras: [{{id: a, uri: 'rtsp:/admin:{PASSWORD}@10.0.0.7/'}}]", id="one slash"),
    ],
)
def test_bad_files_are_config_errors(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_cameras(text, name="city.yaml")


def test_not_even_the_cause_holds_the_password(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_bytes(GOOD.encode() + b" # \xff")
    with pytest.raises(ConfigError) as caught:
        load_cameras(path)
    assert PASSWORD not in repr(caught.value.__cause__)


MISTAKEN = f"""
cameras:
  - {{id: a, uri: '{URI}', fps: fast, colour: red, lines: {{in: [[0, 0], [0, 0]], out: [[0, 0], [2, 0]]}}}}
  - {{id: b, uri: 'ftp://h/x', city: off, city: Ulm}}
  - {{id: B, uri: 'rtsp://h/x', mask: [[[0, 0], [1, 1], [1, 0], [0, 1]], [[0, 0], [1, 0], [0.5, 0]]]}}
  - {{uri: 'rtsp://h/y', fpss: 2}}
sinks: {{ops: {{type: webhook, url: 'ftp://h'}}, desk: {{type: fax, url: 'https://h'}}}}
mute: [{{between: now}}, {{kind: queue, day: mon}}]
settings: {{image_size: 7, confidence: high, modell: x, colour: red}}
"""


def test_all_mistakes_of_a_file_are_told_at_once_a_line_each() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(MISTAKEN, name="city.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("city.yaml: ") for line in lines)
    said = [line.removeprefix("city.yaml: ") for line in lines]
    for start in [
        "line 4: the key 'city' is there twice",
        "camera 'a': fps: ",
        "camera 'a': unknown key 'colour'; known are id",
        "camera 'a': lines.in.points: starts where it ends",
        "camera 'a': lines.out.points.1.0: ",
        "camera 'b': uri: unknown scheme 'ftp'",
        "camera 'B': mask: polygon 1 crosses itself",
        "camera 'B': mask: polygon 2 ",
        "camera number 4: 'id' is missing",
        "camera number 4: unknown key 'fpss'",
        "settings: unknown setting 'modell'; do you mean 'model'?",
        "settings: unknown setting 'colour'; see docs/settings.md",
        "sinks: 'ops': url: ",
        "sinks: 'desk': type: ",
        "mute: between: is a span of hours",
        "mute: day: is unknown",
        "camera 'B' is there twice",
        "setting 'image_size': ",
        "setting 'confidence': ",
    ]:
        assert len([one for one in said if one.startswith(start)]) == 1, (start, said)
    assert len(said) == 19


@pytest.mark.parametrize(
    ("wrong", "last"), [(20, "unknown key"), (21, "1 more mistake,"), (30, "10 more mistakes,")]
)
def test_of_many_mistakes_the_first_twenty_are_told_and_the_others_counted(wrong: int, last: str) -> None:
    cameras = ", ".join(f"{{id: c{k}, uri: 'rtsp://h/{k}', colour: red}}" for k in range(wrong))
    with pytest.raises(ConfigError) as caught:
        parse_cameras(f"cameras: [{cameras}]", name="city.yaml")
    lines = str(caught.value).splitlines()
    assert [f"camera 'c{k}'" in lines[k] for k in range(20)] == [True] * 20
    assert last in lines[-1]
    assert len(lines) == min(wrong, 21)


def test_a_long_address_as_a_key_is_masked_before_it_is_cut() -> None:
    key = "rtsp://" + "u" * 40 + f":{PASSWORD}" + "p" * 40 + "@10.0.0.7/ch1"
    with pytest.raises(ConfigError) as caught:
        parse_cameras(f"{GOOD}\n'{key}': 1")
    assert PASSWORD not in str(caught.value)


def test_a_key_with_a_line_break_makes_no_line_of_its_own() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(f'{GOOD}\n"a\\nb": 1')
    assert str(caught.value).startswith("cameras: unknown key 'a?b'")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("depth", [60, 100_000])
@pytest.mark.parametrize("opened", ["[", "{a: ", "- "])
def test_what_is_nested_far_too_deep_is_refused_in_a_sentence(opened: str, depth: int) -> None:
    with pytest.raises(ConfigError, match=r"^city.yaml, line 2: is nested deeper than 50 levels$"):
        parse_cameras("x:\n  " + opened * depth, name="city.yaml")


def test_more_values_than_a_camera_file_has_are_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streetloop.cameras.camera_yaml._MOST_VALUES", 1000)
    parse_cameras(one("city: Ulm"))
    with pytest.raises(ConfigError, match=r"^city.yaml: has more than 1,000 values"):
        parse_cameras("x: [" + "[{a: 1}]," * 300 + "[", name="city.yaml")


def test_the_yaml_reader_is_the_compiled_one() -> None:
    # A pure Python reader takes seconds for a file of some thousand cameras.
    from streetloop.cameras import camera_yaml

    assert issubclass(camera_yaml._Loader, yaml.CSafeLoader)


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("keep: {continuous: 7d}", "keep.continuous"),
        ("zones: {z: road}", "zones.z"),
        ("lines: 3", "lines"),
        ("anomalies: all", "anomalies"),
    ],
)
def test_a_value_in_the_place_of_a_mapping_is_told_without_names_of_classes(keys: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(one(keys))
    assert str(caught.value) == f"cameras: camera 'a40': {where}: must be a mapping, such as {{key: value}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cameras: {front: {uri: 'rtsp://h/x'}}", "cameras: must be a list"),
        ("cameras: []", "cameras: has 0 values, and needs 1"),
        (one("fps: '5,5'"), "camera 'a40': fps: must be a number"),
        (one("audio: maybe"), "camera 'a40': audio: must be true or false"),
        (one("transport: TCP"), "camera 'a40': transport: must be one of tcp, udp"),
        (one("city: ''"), "camera 'a40': city: is empty"),
        (one('city: "a\\nb"'), "camera 'a40': city: has a line break or another control character"),
        (one("lines: {l: [0, 0, 1, 1]}"), "camera 'a40': lines.l.points: has 4 values; at most 2 are taken"),
        (one("lines: {l: [[true, 0], [1, 1]]}"), "camera 'a40': lines.l.points.0.0: must be a number"),
        (one("mask: [[0, 0], [1, 0], [1, 1]]"), "camera 'a40': mask: must be a list of polygons"),
        (f"{GOOD}\nsettings: {{model: 3}}", "setting 'model': must be text; quote it"),
        (f"{GOOD}\n---\ncameras: []", ", line 2: a second document begins; leave out ---"),
        ("cameras: [{id: a, uri: !secret door}]", ", line 1: has a tag, as !secret or !include"),
        ("cameras:\n\t- id: a", ", line 2: is not valid YAML: a tab, or a character"),
        ("cameras: [{id: @a}]", ", line 1: is not valid YAML: a tab, or a character"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_a_camera_file(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(text, name="city.yaml")
    (line,) = str(caught.value).splitlines()
    assert line.removeprefix("city.yaml").removeprefix(": ").startswith(said)
