"""Colours of vehicles and clothes."""

import numpy as np
from numpy.typing import NDArray

from streetloop.city.render.mesh import Material
from streetloop.city.world.rng import draw

_PAINTS = ((0.90, 0.90, 0.90), (0.72, 0.73, 0.74), (0.16, 0.16, 0.17), (0.34, 0.34, 0.35),
           (0.10, 0.12, 0.58), (0.55, 0.26, 0.10), (0.20, 0.24, 0.10), (0.22, 0.45, 0.62),
           (0.42, 0.38, 0.34))  # fmt: skip
_CLOTHES = ((0.12, 0.12, 0.14), (0.34, 0.22, 0.16), (0.24, 0.26, 0.30), (0.42, 0.46, 0.52),
            (0.18, 0.18, 0.48), (0.22, 0.32, 0.24), (0.20, 0.44, 0.60), (0.40, 0.28, 0.34),
            (0.72, 0.72, 0.70))  # fmt: skip
_FIXED = {
    Material.GLASS: (0.24, 0.21, 0.19),
    Material.TYRE: (0.10, 0.10, 0.10),
    Material.HUB: (0.46, 0.46, 0.47),
    Material.HEAD_LAMP: (0.86, 0.88, 0.88),
    Material.TAIL_LAMP: (0.12, 0.12, 0.52),
    Material.TRIM: (0.14, 0.14, 0.14),
    Material.SKIN: (0.42, 0.52, 0.68),
    Material.PLATE: (0.55, 0.80, 0.82),
    Material.HAIR: (0.12, 0.14, 0.18),
}


def paint_of(kind: str, track_id: int, bus: tuple[float, float, float]) -> NDArray[np.float32]:
    """(materials, 3) linear colours of one object.

    Args:
        kind: Kind of the object, such as ``van``.
        track_id: Seeds its colours.
        bus: Linear colour of the city's buses.
    """
    rng = draw("paint", kind, track_id)
    body = rng.choices(_PAINTS, (5, 5, 4, 5, 2, 2, 1, 1, 2))[0]
    second = (0.82, 0.83, 0.83)
    if kind == "bus":
        body, second = bus, (0.80, 0.82, 0.82)
    elif kind == "truck":
        second = rng.choice(((0.84, 0.85, 0.85), (0.80, 0.82, 0.83), (0.60, 0.38, 0.20),
                                (0.30, 0.42, 0.66), (0.38, 0.56, 0.42)))  # fmt: skip
    elif kind == "lost load":
        second = (0.28, 0.42, 0.56)
    elif kind in {"person", "bicycle", "motorcycle"}:
        body, second = rng.choice(_CLOTHES), rng.choice(_CLOTHES[:4])
    elif kind == "van":
        body = rng.choices(_PAINTS, (9, 3, 1, 1, 1, 1, 0, 1, 0))[0]
    shade = rng.uniform(0.9, 1.06)
    palette = np.zeros((len(Material), 3), np.float32)
    palette[Material.BODY], palette[Material.SECOND] = body, second
    palette[:2] *= np.float32(shade)
    for material, colour in _FIXED.items():
        palette[material] = colour
    return palette * palette
