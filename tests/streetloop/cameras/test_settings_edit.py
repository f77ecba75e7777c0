"""Settings in a camera file, changed in place."""

from pathlib import Path

import pytest

from streetloop.cameras.camera_file import load_cameras, parse_cameras
from streetloop.cameras.settings_edit import with_settings, write_settings
from streetloop.errors import ConfigError

CAMERAS = "cameras:  # all of them\n  - {id: 0017, uri: 'sim://larkfield/gantry'}\n"
VALUES = {"backend": "openvino", "image_size": 480}


def test_a_file_without_settings_gets_some() -> None:
    assert with_settings(CAMERAS, VALUES) == f"{CAMERAS}settings:\n  backend: openvino\n  image_size: 480\n"


def test_comments_order_and_other_settings_stay() -> None:
    text = (
        "# our city\nsettings:\n    # tuned in May\n"
        f"    backend: onnx   # portable\n    gate: no\n\n{CAMERAS}"
    )
    assert with_settings(text, VALUES) == (
        "# our city\nsettings:\n    # tuned in May\n    image_size: 480\n"
        f"    backend: openvino   # portable\n    gate: no\n\n{CAMERAS}"
    )


@pytest.mark.parametrize("settings", ["{}", "{gate: no}", "{backend: onnx}", "{ gate: no, image_size: 640 }"])
def test_settings_on_one_line_stay_on_one_line(settings: str) -> None:
    changed = with_settings(f"settings: {settings}  # few\n{CAMERAS}", VALUES)
    assert changed.endswith(f"  # few\n{CAMERAS}")
    assert VALUES.items() <= parse_cameras(changed).settings.items()
    assert ("gate" in settings) == ("gate" in parse_cameras(changed).settings)


@pytest.mark.parametrize(
    "text",
    [CAMERAS.rstrip(), CAMERAS.replace("\n", "\r\n"), "\ufeff" + CAMERAS, f"settings: {{}}\n{CAMERAS}"],
)
def test_odd_texts_are_written_right_or_not_at_all(text: str) -> None:
    assert parse_cameras(with_settings(text, VALUES)).settings == VALUES
    assert "0017" in parse_cameras(with_settings(text, VALUES)).cameras[0].id


@pytest.mark.parametrize(
    "text",
    [
        "{cameras: [{id: a, uri: 'sim://larkfield/gantry'}]}",
        f"{CAMERAS}...\n",
        f"settings: &s {{backend: onnx}}\n{CAMERAS}mute: []\n".replace("onnx}", "&b onnx, precision: *b}"),
    ],
    ids=["on one line", "with an end", "with an anchor"],
)
def test_what_cannot_be_changed_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError, match=r"by hand; set backend: openvino, image_size: 480"):
        with_settings(text, VALUES)


def test_the_file_keeps_its_permissions_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "cameras.yaml"
    real.write_text(CAMERAS)
    real.chmod(0o640)
    link.symlink_to(real)
    write_settings(link, VALUES)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert load_cameras(link).settings == VALUES
    assert set(tmp_path.iterdir()) == {real, link}


def test_a_value_that_is_no_setting_of_the_run_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERAS)
    with pytest.raises(ConfigError, match="image_size"):
        write_settings(path, {"image_size": 5})
    assert path.read_text() == CAMERAS
