"""Authenticates calls of Label Studio's webhook.

The webhook is only a hint to pull now. A lost call costs the time until the next poll, a repeated
call costs a pull, and a forged call is rejected. The content is never read.
"""

import hmac
from collections.abc import Mapping

from pydantic import SecretStr

SECRET_HEADER = "X-Streetloop-Secret"
"""Name of the header that carries the shared secret."""


def is_genuine(headers: Mapping[str, str], secret: SecretStr) -> bool:
    """True if the headers carry the shared secret; compares in constant time.

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
