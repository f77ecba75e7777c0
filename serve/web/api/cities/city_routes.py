"""Endpoints of cities."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from serve.web.api.cameras import AUTHOR
from serve.web.api.problems import problems
from streetloop.control.cities.city_control import CityView
from streetloop.control.port import Control

_City = Annotated[str, Field(min_length=1, max_length=100)]
_Camera = Annotated[str, Field(min_length=1, max_length=64)]
_MAX_CAMERAS = 10_000


class CityIn(BaseModel):
    """Cameras that are put into a city."""

    model_config = ConfigDict(extra="forbid")

    name: _City
    cameras: list[_Camera] = Field(min_length=1, max_length=_MAX_CAMERAS, description="ids")


class RenameIn(BaseModel):
    """Another name of a city."""

    model_config = ConfigDict(extra="forbid")

    city: _City
    name: _City


def city_routes(control: Control) -> APIRouter:
    """The endpoints of cities.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["cameras"], responses=problems(_401="token missing or wrong"))

    @routes.get("/cities", summary="Cities with their cameras, champion, schedule and time zone")
    def cities() -> list[CityView]:
        return control.cities()

    @routes.post(
        "/cities",
        summary="Put cameras into a city, which is added if it is new",
        responses=problems(_404="no such camera", _422="the name is wrong"),
    )
    def group(city: Annotated[CityIn, Body()]) -> CityView:
        return control.group_cameras(city.name, city.cameras, AUTHOR)

    @routes.post(
        "/cities/rename",
        summary="Give a city another name",
        responses=problems(_404="no such city", _422="the name is wrong or taken, or must stay"),
    )
    def rename(city: Annotated[RenameIn, Body()]) -> CityView:
        return control.rename_city(city.city, city.name, AUTHOR)

    return routes
