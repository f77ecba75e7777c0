import pytest

from serve.access import refuse_open_door
from streetloop.errors import ConfigError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    refuse_open_door(host, has_token=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "street.example", ""])
def test_a_wider_address_needs_one(host: str) -> None:
    with pytest.raises(ConfigError, match="STREETLOOP_API_TOKEN"):
        refuse_open_door(host, has_token=False)
    refuse_open_door(host, has_token=True)
