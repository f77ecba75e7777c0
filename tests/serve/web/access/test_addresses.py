"""Where the app may listen, and be reached at."""

from typing import Any

import pytest

from serve.web.access.addresses import refuse_open_door
from streetloop.errors import ConfigError
from streetloop.settings import read_settings

TOKENS = ("api_token", "operator_token", "viewer_token")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    refuse_open_door(host, read_settings())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "street.example", ""])
@pytest.mark.parametrize("token", TOKENS)
def test_a_wider_address_needs_one(host: str, token: str) -> None:
    with pytest.raises(ConfigError, match="STREETLOOP_API_TOKEN"):
        refuse_open_door(host, read_settings())
    given: dict[str, Any] = {token: "secret"}
    refuse_open_door(host, read_settings(**given))


def test_a_public_url_needs_one_too_unless_it_is_of_this_machine() -> None:
    with pytest.raises(ConfigError, match=r"the public URL https://street\.example lets other machines in"):
        refuse_open_door("127.0.0.1", read_settings(public_url="https://street.example"))
    refuse_open_door("127.0.0.1", read_settings(public_url="http://localhost:8080"))
    refuse_open_door("127.0.0.1", read_settings(public_url="https://street.example", api_token="x"))


def test_two_roles_have_two_tokens() -> None:
    settings = read_settings(api_token="hunter2", viewer_token="hunter2")
    with pytest.raises(ConfigError, match="two roles have the same token") as caught:
        refuse_open_door("127.0.0.1", settings)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "street.example",
        "ftp://street.example",
        "https://street.example/app",
        "https://a b",
        "https://u:p@h",
        "https://",
        "https://h:999999",
        "https://h?x",
    ],
)
def test_a_public_url_is_a_scheme_a_name_and_maybe_a_port(url: str) -> None:
    with pytest.raises(ConfigError, match="write https://name or https://name:port"):
        read_settings(public_url=url)
    assert (
        read_settings(public_url="https://Street.Example:8443/").public_url == "https://street.example:8443"
    )
