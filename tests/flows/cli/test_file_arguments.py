"""An address where a file is expected is refused, and nothing of it is told."""

import pytest

from flows.cli.main import main

ADDRESS = "rtsp://admin:s3cret@10.0.0.7/ch1"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path_factory.mktemp("home")))


def says(
    arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str]:
    monkeypatch.setattr("sys.argv", ["streetloop", *arguments.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert said.out == ""
    return ended.value.code, said.err


@pytest.mark.parametrize("address", [ADDRESS, "http:/admin:s3cret@h/x.yaml", "admin:s3cret@10.0.0.7/ch1"])
@pytest.mark.parametrize(
    "command",
    [
        "check X",
        "run X",
        "up X",
        "up cameras.yaml --policy X",
        "run cameras.yaml --annotate X",
        "camera import X",
        "camera list --file X",
        "camera add a40 sim://kingsport/bridge --file X",
        "counts a40 --file X",
        "drift --html X",
        "drift compare X b",
        "bench baseline --write X",
        "evaluate baseline c.json --images X",
        "models export 1 X",
        "dataset import X --format coco",
        "learn now --file X",
        "report --html X",
        "rollout report --html X",
        "backup X",
        "restore X",
    ],
)
def test_an_address_in_the_place_of_a_file_is_refused_and_not_repeated(
    command: str, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = says(command.replace("X", address), monkeypatch, capsys)
    (sentence,) = said.strip().splitlines()
    assert code == 2
    assert "that is an address, not a file" in sentence
    for part in ("s3cret", "admin", "10.0.0.7"):
        assert part not in said


def test_a_camera_file_is_said_to_hold_addresses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = says(f"check {ADDRESS}", monkeypatch, capsys)
    assert said == (
        "error: CAMERAS.YAML: that is an address, not a file; write it as the `uri:` of a camera in such a "
        "file\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        "X",
        "learn X",
        "models X",
        "train X",
        "events --since X",
        "run cameras.yaml --duration X",
        "camera add a40 admin:s3cret@http://10.0.0.7",
        "camera add a40 rtsp:admin:s3cret@h/?next=http://x",
    ],
)
def test_what_is_typed_elsewhere_is_told_without_its_secrets(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = says(command.replace("X", ADDRESS), monkeypatch, capsys)
    assert code == 2
    assert "s3cret" not in said
    assert "admin" not in said
