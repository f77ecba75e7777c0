"""Who asks."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from serve.web.access.roles import Guard, Role
from serve.web.api.problems import problems


class Me(BaseModel):
    """The role of whoever asks."""

    role: str = Field(description="viewer, operator or admin")


def me_route(guard: Guard) -> APIRouter:
    """The endpoint that tells a client its role.

    Args:
        guard: Knows it.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))

    @routes.get("/me", summary="The role of the token that was sent")
    def me(request: Request) -> Me:
        return Me(role=str(guard.role_of(request.headers, request.cookies) or Role.VIEWER))

    return routes
