"""Cameras of the simulated city that the app adds with one click."""

import json
from collections.abc import Collection
from typing import Any

_FPS = 5
_STREETS = {
    "kingsport-crossing": "sim://kingsport/crossing",
    "larkfield-gantry": "sim://larkfield/gantry",
    "stonebridge-west": "sim://stonebridge/west-tower",
    "millbrook-high-street": "sim://millbrook/high-street",
}
"""Address by id, the first one alone if one is wanted."""


def sample_cameras(count: int, known: Collection[str] = ()) -> list[dict[str, Any]]:
    """Cameras of the simulated city, as the camera file has them.

    >>> sample_cameras(1)[0]["city"]
    'kingsport'

    Args:
        count: How many at most, 1 to 4; they are of different cities.
        known: Ids that are taken, in any case; those are left out.
    """
    taken = {name.lower() for name in known}
    return [
        {"id": name, "uri": uri, "city": name.partition("-")[0], "fps": _FPS}
        for name, uri in list(_STREETS.items())[:count]
        if name not in taken
    ]


def sample_list(count: int, known: Collection[str] = ()) -> str:
    """The same as a camera file, which JSON is, too; empty if all are there.

    Args:
        count: See `sample_cameras`.
        known: See `sample_cameras`.
    """
    cameras = sample_cameras(count, known)
    return json.dumps({"cameras": cameras}) if cameras else ""
