from pathlib import Path

import pytest

from flows.stream.sources.clip import ClipSource
from flows.stream.sources.registry import open_source
from flows.stream.sources.rtsp import RtspSource
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ConfigError
from streetloop.secrets import SecretUri
from tests.support.stream_flow.fakes import FakeClock


def _camera(uri: str) -> Camera:
    return Camera(id="a40", uri=SecretUri(uri))


@pytest.mark.parametrize(
    ("uri", "kind", "live"),
    [
        ("rtsp://10.0.0.7/ch1", RtspSource, True),
        ("RTSP://10.0.0.7/ch1", RtspSource, True),
        ("file:///clips/a.mp4", ClipSource, True),
        ("file:///clips/a.mp4?live=0", ClipSource, False),
    ],
)
def test_the_scheme_selects_the_source(uri: str, kind: type, live: bool) -> None:
    source = open_source(_camera(uri), FakeClock())

    assert isinstance(source, kind)
    assert source.live is live


def test_opening_a_source_connects_to_nothing() -> None:
    assert not Path("/no/such/clip.mp4").exists()
    open_source(_camera("file:///no/such/clip.mp4"), FakeClock())


@pytest.mark.parametrize("uri", ["rtsp://user:s3cret@/ch1", "file:///a.mp4?fps=fast", "file://relative.mp4"])
def test_the_error_of_a_malformed_uri_names_the_camera(uri: str) -> None:
    with pytest.raises(ConfigError, match="camera 'a40'") as caught:
        open_source(_camera(uri), FakeClock())
    assert "s3cret" not in str(caught.value)
