"""Roles, and the tokens that give them."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from streetloop.errors import ConfigError
from streetloop.settings import Settings

COOKIE = "streetloop"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing."""


class Role(IntEnum):
    """What somebody may do; a role may do all that a lower one may.

    A viewer reads. An operator acknowledges, labels, detects in pictures, sends and fetches
    datasets, evaluates, downloads and registers models, and steers rollouts and learning. An admin
    also adds, changes and removes cameras.
    """

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """The token of each role; a role without one is nobody's.

    Attributes:
        admin: ``STREETLOOP_API_TOKEN``.
        operator: ``STREETLOOP_OPERATOR_TOKEN``.
        viewer: ``STREETLOOP_VIEWER_TOKEN``.
    """

    admin: str | None = field(default=None, repr=False)
    operator: str | None = field(default=None, repr=False)
    viewer: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "AccessTokens":
        """Those of the settings.

        Raises:
            ConfigError: Two roles have the same token.
        """
        given = (settings.api_token, settings.operator_token, settings.viewer_token)
        plain = [token.get_secret_value() for token in given if token is not None]
        if len(set(plain)) < len(plain):
            raise ConfigError("two roles have the same token; give each of them one of its own")
        return cls(*(None if token is None else token.get_secret_value() for token in given))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(True for _ in self.items())

    def items(self) -> Iterator[tuple[Role, str]]:
        """Each role that has a token, with it."""
        tokens = {Role.ADMIN: self.admin, Role.OPERATOR: self.operator, Role.VIEWER: self.viewer}
        yield from ((role, token) for role, token in tokens.items() if token is not None)


class Guard:
    """Knows the role of a request by its token: as bearer, or as the cookie of a browser.

    Args:
        tokens: Without any, everybody who reaches the server is an admin.
    """

    def __init__(self, tokens: AccessTokens) -> None:
        self.tokens = tokens

    def role_of(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Role | None:
        """The role of a request; None if it shows no token, or a wrong one.

        Args:
            headers: May hold a token as a bearer token, which the cookie does not make good.
            cookies: May hold what stands for a token.
        """
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.role_with(given)
        return self._matching(cookies.get(COOKIE, ""), cookie_of)

    def role_with(self, token: str) -> Role | None:
        """The role that a token gives; None if it is none.

        Args:
            token: Compared in constant time.
        """
        return self._matching(token, lambda known: known)

    def _matching(self, shown: str, form: Callable[[str], str]) -> Role | None:
        if not self.tokens:
            return Role.ADMIN
        same = [
            role
            for role, token in self.tokens.items()
            if secrets.compare_digest(shown.encode(), form(token).encode())
        ]
        return same[0] if same else None


def cookie_of(token: str) -> str:
    """What a browser stores instead of a token, which cannot be derived from it."""
    return hashlib.sha256(f"streetloop cookie {token}".encode()).hexdigest()


def objection(role: Role, needed: Role) -> str | None:
    """Why somebody may not do something, as a sentence; None if they may.

    >>> objection(Role.VIEWER, Role.ADMIN)
    'this needs the token of an admin; yours is that of a viewer'
    """
    if role >= needed:
        return None
    return f"this needs the token of an {needed}; yours is that of {_A[role]}"


_A = {role: f"{'a' if role is Role.VIEWER else 'an'} {role}" for role in Role}


class Admission:
    """Lets a request pass whose role may do it; a dependency of the API's endpoints.

    Args:
        guard: Knows its role.
        changes: The role that changing something needs.
        reads: The role that reading needs.
    """

    def __init__(self, guard: Guard, changes: Role = Role.OPERATOR, reads: Role = Role.VIEWER) -> None:
        self._guard, self._changes, self._reads = guard, changes, reads

    def __call__(self, connection: HTTPConnection) -> None:
        """Raise a 401 or a 403 unless a request, or a WebSocket, may pass."""
        role = self._guard.role_of(connection.headers, connection.cookies)
        if role is None:
            raise HTTPException(
                401,
                "send the header 'Authorization: Bearer <token>', or log in at /login",
                {"WWW-Authenticate": "Bearer"},
            )
        is_read = connection.scope.get("method", "GET") in SAFE_METHODS  # a WebSocket has none
        reason = objection(role, self._reads if is_read else self._changes)
        if reason is not None:
            raise HTTPException(403, reason)
