import os
import pickle
import re
import time
import traceback
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from streetloop.cameras.camera_file import CameraFile, load_cameras, parse_cameras
from streetloop.errors import ConfigError
from streetloop.secrets import SecretUri

PASSWORD = "hunter2"
URI = f"rtsp://admin:{PASSWORD}@10.0.0.7/ch1"
GOOD = f"cameras: [{{id: a40, uri: '{URI}'}}]"
ID_AS_DOCUMENTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def one(keys: str) -> str:
    """A file of one camera, a40, with more ``keys``."""
    return f"cameras: [{{id: a40, uri: '{URI}', {keys}}}]"


def keeps_the_password(error: ConfigError) -> bool:
    shown = "".join(traceback.format_exception(error))
    return not any(PASSWORD in text for text in (str(error), repr(error), shown))


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(text, name="city.yaml")
    assert keeps_the_password(caught.value)
    return caught.value


def refusal_of_file(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_cameras(path)
    assert keeps_the_password(caught.value)
    assert str(path) in str(caught.value)
    return caught.value


def test_the_shortest_file_is_one_id_and_one_address() -> None:
    (camera,) = parse_cameras(f"cameras:\n- id: a40\n  uri: {URI}\n").cameras
    assert (camera.id, camera.uri.reveal()) == ("a40", URI)
    assert (camera.city, camera.fps, camera.transport, camera.lines) == (None, None, "tcp", {})


def test_everything_that_can_be_said_of_a_camera_is_kept() -> None:
    text = """
    cameras:
      - id: a40.east_2-x
        uri: file:///clips/a40.mp4?loop=1
        city: London
        fps: 12.5
        transport: udp
        lines:
          stop line: [[0, 0.5], [1, 0.5]]
          exit: [[0.2, 0], [0.2, 1]]
      - {id: b, uri: 'RTSP://10.0.0.8/ch1'}
    settings:
      confidence: 0.4
      model: yolov8n.pt
    """
    file = parse_cameras(text)
    first, second = file.cameras
    assert first.uri == SecretUri("file:///clips/a40.mp4?loop=1")
    assert (first.city, first.fps, first.transport) == ("London", 12.5, "udp")
    lines = {name: line.points for name, line in first.lines.items()}
    assert lines == {"stop line": ((0.0, 0.5), (1.0, 0.5)), "exit": ((0.2, 0.0), (0.2, 1.0))}
    assert second.id == "b"
    assert file.settings == {"confidence": 0.4, "model": "yolov8n.pt"}


def test_what_is_wrong_in_the_environment_is_not_said_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_LEARN_RECIPE", "{bad")
    file = parse_cameras(f"{GOOD}\nsettings: {{label_bands: {{car: {{weight: 2}}}}}}")
    assert file.settings == {"label_bands": {"car": {"weight": 2}}}


def test_a_number_is_an_id_too() -> None:
    assert parse_cameras(f"cameras: [{{id: 7, uri: '{URI}'}}]").cameras[0].id == "7"


@pytest.mark.parametrize("written", ["0017", "010", "0x1F", "1_000", "08", "'12'"])
def test_an_id_stays_as_it_is_written(written: str) -> None:
    text = f"cameras: [{{id: {written}, uri: '{URI}', city: {written}}}]"
    camera = parse_cameras(text).cameras[0]
    assert camera.id == camera.city == written.strip("'")


@pytest.mark.parametrize("written", ["12:30:00", "'12:30:00'", "12:30"])
def test_an_id_with_colons_says_how_to_write_it(written: str) -> None:
    said = str(refusal(f"cameras: [{{id: {written}, uri: '{URI}'}}]"))
    way_out = written.strip("'").replace(":", "-")
    assert said.endswith(f"starting with a letter or digit; write {way_out}")
    assert parse_cameras(f"cameras: [{{id: {way_out}, uri: '{URI}'}}]").cameras[0].id == way_out


@pytest.mark.parametrize("written", ["off", "no", "yes", "1.5", "2026-11-29"])
def test_an_id_that_yaml_takes_for_something_else_is_to_be_quoted(written: str) -> None:
    assert "quote it" in str(refusal(f"cameras: [{{id: {written}, uri: '{URI}'}}]"))
    assert parse_cameras(f"cameras: [{{id: '{written}', uri: '{URI}'}}]").cameras[0].id == written


def test_names_of_lines_stay_as_they_are_written() -> None:
    lines = "no: [[0, 0], [1, 1]], 010: [[0, 0], [1, 1]], ~: [[0, 0], [1, 1]]"
    assert list(parse_cameras(one(f"lines: {{{lines}}}")).cameras[0].lines) == ["no", "010", "~"]


def _seconds_of(keys: int) -> float:
    text = "".join(f"k{number}: 1\n" for number in range(keys))
    began = time.process_time()
    refusal(text)
    return time.process_time() - began


def test_ten_times_the_keys_take_ten_times_as_long() -> None:
    _seconds_of(100)
    few, many = (min(_seconds_of(keys) for _ in range(3)) for keys in (500, 5000))
    # A hundred times as long if each were compared with each.
    assert many < 30 * few


def test_an_anchor_is_merged_and_may_be_overridden() -> None:
    text = f"cameras: [&a {{id: a, uri: '{URI}', fps: 5}}, {{<<: *a, id: b, fps: 6}}]"
    first, second = parse_cameras(text).cameras
    assert (first.fps, second.id, second.fps, second.uri) == (5, "b", 6, first.uri)


def test_the_order_of_the_cameras_is_that_of_the_file() -> None:
    text = "cameras:\n" + "".join(f"- {{id: {name}, uri: 'rtsp://h/{name}'}}\n" for name in "cab")
    assert [camera.id for camera in parse_cameras(text).cameras] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["mapping"], id="nothing"),
        pytest.param(f"- {URI}", ["mapping"], id="a list"),
        pytest.param(URI, ["mapping"], id="a word"),
        pytest.param(f"cameras: [{{id: a40, uri: '{URI}'\nx: [", ["line", "YAML"], id="not YAML"),
        pytest.param(f"cameras: !!python/name:os.{PASSWORD}", ["has a tag"], id="tag of a language"),
        pytest.param(f"cameras: [\0{PASSWORD}]", ["YAML"], id="control character"),
        pytest.param(f"{GOOD}\n---\n{GOOD}", ["a second document"], id="two documents"),
        pytest.param("settings: {}", ["cameras", "missing"], id="no cameras"),
        pytest.param("cameras: []", ["cameras", "needs 1"], id="empty list"),
        pytest.param(f"cameras: {{a40: '{URI}'}}", ["cameras", "list"], id="cameras by name"),
        pytest.param(f"cameras: ['{URI}']", ["number 1"], id="a camera that is a word"),
        pytest.param(f"{GOOD}\ncamera: 1", ["'camera'", "cameras"], id="unknown top-level key"),
        pytest.param(f"{GOOD}\nsettings: {{modell: x}}", ["settings", "'modell'"], id="unknown setting"),
        pytest.param(f"{GOOD}\nsettings: {{home: /srv}}", ["settings", "'home'"], id="home is no setting"),
        pytest.param(
            f"{GOOD}\nsettings: {{api_token: {PASSWORD}}}",
            ["settings", "'api_token'"],
            id="token in the file",
        ),
        pytest.param(
            f"{GOOD}\nsettings: {{label_bands: {{car: {{low: 0.7}}}}}}",
            ["setting 'label_bands.car'", "low must be less than high"],
            id="a band upside down",
        ),
        pytest.param(f"{GOOD}\nsettings: [1]", ["settings"], id="settings in a list"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_by_name(text: str, expected: list[str]) -> None:
    message = str(refusal(text))
    for words in ["city.yaml", *expected]:
        assert words in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(one(f"password: {PASSWORD}"), ["'password'", "known are id"], id="key"),
        pytest.param(one("city: ''"), ["city"], id="empty city"),
        pytest.param(one("city: [x]"), ["city"], id="city in a list"),
        pytest.param(one("fps: 0"), ["fps", "0.001"], id="fps 0"),
        pytest.param(one("fps: -5"), ["fps", "0.001"], id="negative fps"),
        pytest.param(one("fps: 1001"), ["fps", "1000"], id="fps beyond all cameras"),
        pytest.param(one("fps: .nan"), ["fps"], id="fps that is no number"),
        pytest.param(one("fps: .inf"), ["fps"], id="infinite fps"),
        pytest.param(one("fps: 1e-300"), ["fps", "0.001"], id="fps of no camera"),
        pytest.param(one("city: 12.5"), ["city", "a number", "quote it"], id="city that is a number"),
        pytest.param(
            one("city: off"), ["city", "a truth value", "quote it"], id="city that is a truth value"
        ),
        pytest.param(one("city: 2026-11-29"), ["city", "a date", "quote it"], id="city that is a date"),
        pytest.param(one("fps: fast"), ["fps", "number"], id="fps in words"),
        pytest.param(one(f"transport: '{URI}'"), ["transport", "tcp, udp"], id="transport"),
        pytest.param(one("lines: [1]"), ["lines"], id="lines in a list"),
        pytest.param(one("lines: {in: [[0, 0]]}"), ["lines.in"], id="line of one point"),
        pytest.param(one("lines: {in: [[0, 0], [1]]}"), ["lines.in"], id="point of one number"),
        pytest.param(one("lines: {in: [[0, 0], [0.5, 1.01]]}"), ["lines.in", "1"], id="line below the image"),
        pytest.param(one("lines: {in: [[-0.01, 0], [1, 1]]}"), ["lines.in", "0"], id="line left of it"),
        pytest.param(one("lines: {in: [[0, 0], [0, .nan]]}"), ["lines.in"], id="line to nowhere"),
        pytest.param(one("lines: {in: [[300, 200], [10, 20]]}"), ["lines.in", "1"], id="line in pixels"),
        pytest.param(
            one("lines: {in: [[0.5, 0.5], [0.5, 0.5]]}"), ["lines.in", "starts where it ends"], id="dot"
        ),
        pytest.param(
            f"cameras: [{{id: a40, uri: 'ftp://admin:{PASSWORD}@10.0.0.7/'}}]",
            ["'ftp'", "rtsp://", "file://"],
            id="unknown scheme",
        ),
        pytest.param(
            f"cameras: [{{id: a40, uri: 'admin:{PASSWORD}@10.0.0.7/ch1'}}]", ["uri", "scheme"], id="no scheme"
        ),
        pytest.param("cameras: [{id: a40, uri: /clips/a.mp4}]", ["scheme"], id="a bare path"),
        pytest.param("cameras: [{id: a40, uri: ''}]", ["uri", "scheme"], id="no address at all"),
        pytest.param("cameras: [{id: a40, uri: 7}]", ["uri", "rtsp://"], id="number as address"),
        pytest.param(f"cameras: [{{id: a40, uri: ['{URI}']}}]", ["uri", "rtsp://"], id="list of addresses"),
        pytest.param(
            f"cameras: [{{id: a40, uri: 'rtsp://admin:[{PASSWORD}@10.0.0.7/'}}]",
            ["uri"],
            id="bracket in the password",
        ),
        pytest.param("cameras: [{id: a40}]", ["'uri' is missing"], id="no uri"),
    ],
)
def test_a_camera_that_is_wrong_is_refused_by_name(text: str, expected: list[str]) -> None:
    message = str(refusal(text))
    for words in ["city.yaml", "camera 'a40'", *expected]:
        assert words in message


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("", id="missing"),
        pytest.param("id: '', ", id="empty"),
        pytest.param("id: .hidden, ", id="starts with a dot"),
        pytest.param("id: -x, ", id="starts with a dash"),
        pytest.param("id: a/b, ", id="a path"),
        pytest.param("id: 'a b', ", id="space"),
        pytest.param('id: "a\\n", ', id="newline at the end"),
        pytest.param("id: zoë, ", id="letter beyond ASCII"),
        pytest.param("id: '٣', ", id="digit beyond ASCII"),
        pytest.param(f"id: {'x' * 65}, ", id="65 characters"),
        pytest.param("id: yes, ", id="a truth value"),
        pytest.param("id: 1.5, ", id="a fraction"),
        pytest.param("id: [a], ", id="a list"),
        pytest.param(f"id: '{URI}', ", id="the address"),
    ],
)
def test_a_camera_without_a_usable_id_is_refused_by_its_place(written: str) -> None:
    message = str(refusal(f"cameras: [{{id: ok, uri: '{URI}'}}, {{{written}uri: '{URI}'}}]"))
    assert "city.yaml" in message
    assert "number 2" in message
    assert "id" in message


@pytest.mark.parametrize(("first", "second"), [("a40", "a40"), ("A40", "a40"), ("7", "'7'")])
def test_two_cameras_of_one_id_are_refused_even_if_only_the_case_differs(first: str, second: str) -> None:
    text = f"cameras: [{{id: {first}, uri: '{URI}'}}, {{id: {second}, uri: 'rtsp://h/2'}}]"
    message = str(refusal(text))
    assert f"'{second.strip(chr(39))}' is there twice" in message
    assert "city.yaml" in message


@given(
    name=st.one_of(
        st.text(max_size=70),
        st.text(alphabet="aZ09._- /\n", max_size=70),
        st.from_regex(ID_AS_DOCUMENTED, fullmatch=True),
    )
)
def test_an_id_is_accepted_exactly_if_it_is_of_the_documented_alphabet(name: str) -> None:
    text = yaml.safe_dump({"cameras": [{"id": name, "uri": URI}]}, allow_unicode=True)
    assume(yaml.safe_load(text)["cameras"][0]["id"] == name)
    try:
        accepted: str | None = parse_cameras(text).cameras[0].id
    except ConfigError:
        accepted = None
    assert accepted == (name if ID_AS_DOCUMENTED.fullmatch(name) else None)


@given(start=st.tuples(st.floats(0, 1), st.floats(0, 1)), end=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_any_line_within_the_image_is_accepted_if_it_has_a_length(
    start: tuple[float, float], end: tuple[float, float]
) -> None:
    assume(start != end)
    camera = {"id": "a", "uri": URI, "lines": {"x": [list(start), list(end)]}}
    line = parse_cameras(yaml.safe_dump({"cameras": [camera]})).cameras[0].lines["x"]
    assert line.points == (start, end)


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_cameras(path) == parse_cameras(GOOD)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load_cameras(path) == parse_cameras(GOOD)


def test_a_fault_in_a_file_is_told_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(one("fps: 0"), encoding="utf-8")
    assert "camera 'a40'" in str(refusal_of_file(path))


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in str(refusal_of_file(tmp_path / "nothing.yaml"))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in str(refusal_of_file(tmp_path))


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_bytes(GOOD.encode() + "  # für".encode("latin-1"))
    assert "UTF-8" in str(refusal_of_file(path))


def test_a_file_of_random_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_bytes(bytes(range(256)))
    refusal_of_file(path)


def test_a_file_that_is_far_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(GOOD)
    os.truncate(path, 2**40)  # a hole: it takes no space, but reading it would take long
    assert "larger than" in str(refusal_of_file(path))


def test_cameras_print_without_their_passwords() -> None:
    file = parse_cameras(GOOD)
    assert PASSWORD not in f"{file} {file!r} {file.cameras[0]} {file.cameras[0].model_dump()}"


def test_cameras_survive_the_way_to_another_process() -> None:
    file = parse_cameras(one("lines: {in: [[0, 0], [1, 1]]}"))
    arrived: CameraFile = pickle.loads(pickle.dumps(file))
    assert arrived == file
    assert arrived.cameras[0].uri.reveal() == URI


@pytest.mark.parametrize(
    ("written", "fps"), [("010", 10), ("0_25", 25), ("08.5", 8.5), ("1e1", 10), ("0x10", 16)]
)
def test_a_number_is_the_one_that_people_mean(written: str, fps: float) -> None:
    (camera,) = parse_cameras(f"cameras: [{{id: a, uri: 'sim://larkfield/gantry', fps: {written}}}]").cameras
    assert camera.fps == fps


@pytest.mark.parametrize("written", ["1:30", "1:30.5", "on", "true", ".nan", "ten"])
def test_what_is_no_rate_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match="camera 'a': fps: "):
        parse_cameras(f"cameras: [{{id: a, uri: 'sim://larkfield/gantry', fps: {written}}}]")
