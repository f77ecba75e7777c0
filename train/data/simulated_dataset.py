"""Labeled images of the simulated city, split by camera and seed.

The last camera of each city and all seeds from `HELD_OUT_SEEDS` on are never trained on.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from streetloop.boxes import to_boxes
from streetloop.city.address import TRAFFIC, Address
from streetloop.city.export import write_data_yaml, write_example
from streetloop.city.truth import Truth
from streetloop.city.view import View
from streetloop.city.world.conditions import parse_conditions
from streetloop.city.world.places import PLACES
from streetloop.city.world.rng import draw
from streetloop.images import encode_jpeg
from streetloop.storage.store import ObjectStore, put_image
from streetloop.types import Image
from train.data.dataset import Example

VALIDATION_SEEDS = 5_000
HELD_OUT_SEEDS = 9_000

TRAIN_CAMERAS = tuple((city, name) for city, p in PLACES.items() for name in list(p.cameras)[:-1])
HELD_OUT_CAMERAS = tuple((city, list(p.cameras)[-1]) for city, p in PLACES.items())

_FRAMES_PER_SEED = 5
_FRAME_DISTANCE_S = 9.0
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Split:
    """A set of simulated images.

    Attributes:
        name: Name of its folder.
        cameras: City and camera of each.
        first_seed: The first of the seeds; each gives five images.
        a_camera: Images per camera.
        condition: As in a ``sim://`` URI, such as ``night``.
    """

    name: str
    cameras: tuple[tuple[str, str], ...]
    first_seed: int
    a_camera: int
    condition: str = "day"

    def examples(self) -> Iterator[tuple[str, Image, Truth]]:
        """Name, image and ground truth of each, camera by camera: backdrops are drawn once."""
        conditions = parse_conditions(self.condition)
        for city, camera in self.cameras:
            base = Address(city, camera, conditions)
            view = None
            for k in range(self.a_camera):
                seed, n = self.first_seed + k // _FRAMES_PER_SEED, k % _FRAMES_PER_SEED
                if n == 0:
                    rng = draw("split", city, camera, seed)
                    start = rng.uniform(0, _HOUR_S)
                    traffic = rng.choice(tuple(TRAFFIC))
                    view = View(replace(base, seed=seed, start=start, traffic=traffic))
                assert view is not None
                frame = round(n * _FRAME_DISTANCE_S * base.fps)
                yield f"{city}-{camera}-{k:04d}", view.render(frame), view.truth(frame)

    def owners(self) -> Iterator[tuple[str, str]]:
        """City and camera of each example."""
        for owner in self.cameras:
            yield from [owner] * self.a_camera

    def __len__(self) -> int:
        return len(self.cameras) * self.a_camera


def gather_split(split: Split, store: ObjectStore, part: str) -> list[Example]:
    """Draw a split as labeled examples.

    Args:
        split: The images.
        store: Receives them.
        part: The dataset's split that they are for, such as ``train``.

    Raises:
        StoreError: The store does not take them.
    """
    examples = []
    for (_, image, truth), (city, camera) in zip(split.examples(), split.owners(), strict=True):
        digest, key = put_image(store, encode_jpeg(image))
        height, width = image.shape[:2]
        boxes = (*to_boxes(truth.detections()), *to_boxes(truth.unclear(), ignored=True))
        examples.append(
            Example(
                digest,
                key,
                width,
                height,
                boxes,
                part,
                f"{city}-{camera}",
                slices=(split.condition,),
                labeler="oracle",
                reason="simulated",
            )
        )
    return examples


def write_split(split: Split, folder: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """Write a split as a YOLO dataset, unless it is there already.

    Args:
        split: The images.
        folder: Receives a folder named after the split.
        progress: Called with the number of images written.

    Returns:
        The SHA-256 of its images and labels.
    """
    home = folder / split.name
    done = home / "digest"
    if not done.is_file():
        for name in ("images", "labels"):
            (home / name).mkdir(parents=True, exist_ok=True)
        for number, (name, image, truth) in enumerate(split.examples(), start=1):
            write_example(home, name, image, truth)
            progress(number)
        write_data_yaml(home, train="images", val="images")
        done.write_text(_digest(home))
    return done.read_text()


def _digest(home: Path) -> str:
    total = hashlib.sha256()
    for path in sorted([*home.glob("images/*"), *home.glob("labels/*")]):
        total.update(f"{path.parent.name}/{path.name}".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
