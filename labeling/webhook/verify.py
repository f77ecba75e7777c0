"""Label Studio's webhook: a hint to pull sooner, and nothing more.

A hint that is lost costs the time until the next poll, one that comes twice costs a pull, and a
forged one is turned away. Nothing that it carries is read.
"""

import hmac
from collections.abc import Mapping

from pydantic import SecretStr

SECRET_HEADER = "X-Streetloop-Secret"
"""Name of the header that carries the shared secret."""


def is_genuine(headers: Mapping[str, str], secret: SecretStr) -> bool:
    """True if the headers carry the shared secret; takes as long whatever they carry.

    >>> is_genuine({"x-streetloop-secret": "sesame"}, SecretStr("sesame"))
    True
    >>> is_genuine({}, SecretStr("sesame")), is_genuine({"X-Streetloop-Secret": ""}, SecretStr(""))
    (False, False)
    """
    wanted = secret.get_secret_value().encode()
    given = ""
    for name, value in headers.items():
        if name.lower() == SECRET_HEADER.lower():
            given = value
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted) and bool(wanted)
