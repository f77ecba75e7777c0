"""Variables of the environment that httpx reads."""

import pytest

from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.errors import SourceUnreadable
from streetloop.secrets import SecretUri


@pytest.mark.parametrize("scheme", ["snapshot+http", "http"])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("ALL_PROXY", "odd://127.0.0.1:1"),
        ("SSL_CERT_FILE", "/nowhere"),
    ],
)
def test_a_variable_that_lets_no_client_start_is_named(
    scheme: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    camera = Camera(id="a", uri=SecretUri(f"{scheme}://admin:hunter2@10.255.255.1/x"))
    with pytest.raises(SourceUnreadable, match=f"cannot be read: {variable}: ") as refused:
        open_source(camera, SystemClock()).probe()
    assert "hunter2" not in str(refused.value)
