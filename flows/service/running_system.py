"""Asks the system that runs in a home, by its API."""

import httpx
from pydantic import ValidationError

from streetloop.control.views import HealthView
from streetloop.errors import ConfigError
from streetloop.host.home import is_home_in_use
from streetloop.settings import Settings

_TIMEOUT_S = 10.0


def ask_running(settings: Settings) -> HealthView | None:
    """What ``GET /status`` of the running system says; None if none runs with an API.

    Raises:
        ConfigError: It asks for another token.
    """
    if not settings.app_port or not is_home_in_use(settings.home):
        return None
    token = settings.api_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
    host = "127.0.0.1" if settings.app_host in {"0.0.0.0", "::"} else settings.app_host
    try:
        answer = httpx.get(
            f"http://{host}:{settings.app_port}/status", headers=headers, timeout=_TIMEOUT_S, trust_env=False
        )
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise ConfigError("STREETLOOP_API_TOKEN: the system of this home asks for another token")
        return HealthView.model_validate_json(answer.content)
    except (httpx.HTTPError, ValidationError):
        return None
