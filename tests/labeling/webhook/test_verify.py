"""Genuine webhooks, and others."""

import pytest
from pydantic import SecretStr

from labeling.webhook.verify import SECRET_HEADER, is_genuine

SECRET = SecretStr("open sesame")


@pytest.mark.parametrize(
    ("headers", "genuine"),
    [
        ({SECRET_HEADER: "open sesame"}, True),
        ({SECRET_HEADER.lower(): "open sesame", "Host": "x"}, True),
        ({SECRET_HEADER: "open"}, False),
        ({SECRET_HEADER: "öpen \udcff"}, False),
        ({SECRET_HEADER: ""}, False),
        ({"Authorization": "open sesame"}, False),
        ({}, False),
    ],
)
def test_only_the_secret_is_genuine(headers: dict[str, str], genuine: bool) -> None:
    assert is_genuine(headers, SECRET) is genuine


def test_without_a_secret_nothing_is() -> None:
    assert not is_genuine({SECRET_HEADER: ""}, SecretStr(""))
