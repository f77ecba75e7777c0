"""A camera on a mast: where it stands, where it looks, and what its lens does.

The world is x east, y north, z up in metres; an image is x right, y down in pixels.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats64: TypeAlias = NDArray[np.float64]

_NEAR_M = 0.5


@dataclass(frozen=True)
class Mast:
    """A pinhole camera with some radial distortion (Brown's first term).

    Attributes:
        x: Metres east.
        y: Metres north.
        height: Metres above the street.
        bearing: Degrees clockwise from north.
        tilt: Degrees below the horizon.
        fov: Horizontal angle of view in degrees.
        roll: Degrees the camera is turned clockwise.
        distortion: Brown's k1; negative is a barrel.
    """

    x: float
    y: float
    height: float
    bearing: float
    tilt: float
    fov: float
    roll: float = 0.0
    distortion: float = -0.05

    def knocked(self, degrees: float) -> "Mast":
        """The camera after something has hit its mast: turned, tipped and rolled.

        Args:
            degrees: Turn to the right; tilt and roll change by 0.35 and 0.6 of it.
        """
        return replace(
            self,
            bearing=self.bearing + degrees,
            tilt=self.tilt + 0.35 * degrees,
            roll=self.roll + 0.6 * degrees,
        )


@dataclass(frozen=True)
class CameraModel:
    """A `Mast` with an image size."""

    mast: Mast
    width: int
    height: int

    @cached_property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.width / 2 / math.tan(math.radians(self.mast.fov) / 2)

    @cached_property
    def eye(self) -> Floats64:
        """(3,) where the camera is."""
        return np.array([self.mast.x, self.mast.y, self.mast.height])

    @cached_property
    def axes(self) -> Floats64:
        """(3, 3) rows: the camera's right, down and forward in the world."""
        bearing, tilt = math.radians(self.mast.bearing), math.radians(self.mast.tilt)
        forward = np.array(
            [math.sin(bearing) * math.cos(tilt), math.cos(bearing) * math.cos(tilt), -math.sin(tilt)]
        )
        right = np.array([math.cos(bearing), -math.sin(bearing), 0.0])
        down = np.cross(forward, right)
        roll = math.radians(self.mast.roll)
        return np.stack(
            [
                math.cos(roll) * right + math.sin(roll) * down,
                -math.sin(roll) * right + math.cos(roll) * down,
                forward,
            ]
        )

    def project(self, points: Floats64) -> tuple[Floats64, Floats64]:
        """Where points of the world are in the image.

        Args:
            points: (..., 3) in metres.

        Returns:
            (..., 2) pixels and (...,) metres in front of the camera; a point nearer than half a
            metre, or behind, is put at half a metre.
        """
        away = points - self.eye
        axes = self.axes
        # Written out: a matrix product may round differently from machine to machine.
        seen = [away[..., 0] * a[0] + away[..., 1] * a[1] + away[..., 2] * a[2] for a in axes]
        depth = np.maximum(seen[2], _NEAR_M)
        x, y = seen[0] / depth, seen[1] / depth
        # Beyond the field of view the polynomial would fold back; it stays constant there.
        stretch = 1 + self.mast.distortion * np.minimum(x * x + y * y, 1.5)
        pixels = np.stack([x * stretch, y * stretch], axis=-1) * self.focal
        return pixels + np.array([self.width / 2, self.height / 2]), seen[2]

    def rays(self, scale: int = 1) -> Floats64:
        """(height * scale, width * scale, 3) directions through the pixels' centres.

        They are not of unit length: their part along the camera's axis is 1, so that a ray's
        parameter is the depth.

        Args:
            scale: Rays per pixel side; higher smooths edges and costs its square.
        """
        columns = (np.arange(self.width * scale) + 0.5) / scale - self.width / 2
        rows = (np.arange(self.height * scale) + 0.5) / scale - self.height / 2
        xd, yd = np.meshgrid(columns / self.focal, rows / self.focal)
        x, y = xd, yd
        for _ in range(6):
            stretch = 1 + self.mast.distortion * np.minimum(x * x + y * y, 1.5)
            x, y = xd / stretch, yd / stretch
        right, down, forward = self.axes
        directions: Floats64 = x[..., None] * right + y[..., None] * down + forward
        return directions
