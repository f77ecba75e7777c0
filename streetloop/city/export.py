"""Exports a stretch of a view: the clip, and its ground truth as YOLO and COCO."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from streetloop.city.render.shapes import CLASSES
from streetloop.city.truth import Seen, Truth
from streetloop.city.view import View
from streetloop.errors import StoreError
from streetloop.images import encode_jpeg
from streetloop.types import Image
from streetloop.video import VideoWriter

_JPEG_QUALITY = 95


def export_clip(
    view: View, frames: int, folder: Path, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write the first frames of a view with everything that is known about them.

    ``clip.mp4``; ``images/`` and ``labels/`` with ``data.yaml`` (YOLO); ``coco.json``, with
    ``track_id`` and ``visible`` for every box and ``ignore`` for those that nobody could be asked
    to see, which YOLO's labels leave out; ``truth.jsonl``, one frame a line, with events.

    Args:
        view: What to look at.
        frames: How many frames.
        folder: Where to; made if it is not there.
        progress: Told the number of frames done.

    Raises:
        StoreError: The folder cannot be written to.
    """
    try:
        for name in ("images", "labels"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        _write(view, frames, folder, progress)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error


def _write(view: View, frames: int, folder: Path, progress: Callable[[int], None]) -> None:
    address = view.address
    coco = _Coco(address.width, address.height)
    clip = VideoWriter(folder / "clip.mp4", crf=20)
    try:
        with (folder / "truth.jsonl").open("w", encoding="utf-8") as lines:
            for frame in range(frames):
                image, truth = view.render(frame), view.truth(frame)
                clip.write(image, frame / address.fps)
                write_example(folder, f"{frame:06d}", image, truth)
                coco.add(f"images/{frame:06d}.jpg", truth)
                lines.write(json.dumps(truth.as_json()) + "\n")
                progress(frame + 1)
    finally:
        clip.close()
    (folder / "coco.json").write_text(json.dumps(coco.content), encoding="utf-8")
    write_data_yaml(folder, train="images", val="images")


def write_example(folder: Path, name: str, image: Image, truth: Truth) -> None:
    """Write one labeled picture into ``images/`` and ``labels/`` of a folder.

    Args:
        folder: Holds both folders already.
        name: File name without its ending.
        image: (height, width, 3) uint8, blue first.
        truth: Its objects; those that are hard to see are left out.
    """
    (folder / "images" / f"{name}.jpg").write_bytes(encode_jpeg(image, _JPEG_QUALITY))
    height, width = image.shape[:2]
    rows = [yolo_row(seen, width, height) for seen in truth.clear()]
    (folder / "labels" / f"{name}.txt").write_text("".join(f"{row}\n" for row in rows))


def yolo_row(seen: Seen, width: int, height: int) -> str:
    """Class, centre and size in fractions of the image.

    >>> yolo_row(Seen(1, "car", "suv", (0, 0, 64, 36), 1.0, True), 640, 360)
    '2 0.050000 0.050000 0.100000 0.100000'

    Args:
        seen: The object, in pixels.
        width: Of the image in pixels.
        height: Of the image in pixels.
    """
    left, top, right, bottom = seen.xyxy
    values = (
        (left + right) / 2 / width,
        (top + bottom) / 2 / height,
        (right - left) / width,
        (bottom - top) / height,
    )
    return f"{CLASSES.index(seen.class_name)} " + " ".join(f"{v:.6f}" for v in values)


def write_data_yaml(folder: Path, train: str, val: str, root: str = ".") -> None:
    """Write the ``data.yaml`` that makes a folder a YOLO dataset.

    Args:
        folder: The folder.
        train: Folder of the training images, below ``root``.
        val: Folder of the validation images, below ``root``.
        root: Absolute, or relative to ``folder``.
    """
    content = {"path": root, "train": train, "val": val, "names": dict(enumerate(CLASSES))}
    (folder / "data.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


class _Coco:
    """A COCO file while it is gathered."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self.content: dict[str, list[dict[str, Any]]] = {
            "images": [],
            "annotations": [],
            "categories": [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)],
        }

    def add(self, file_name: str, truth: Truth) -> None:
        image = len(self.content["images"]) + 1
        width, height = self._size
        self.content["images"].append(
            {"id": image, "file_name": file_name, "width": width, "height": height, "frame": truth.frame}
        )
        for seen in truth.seen:
            left, top, right, bottom = seen.xyxy
            self.content["annotations"].append(
                {
                    "id": len(self.content["annotations"]) + 1,
                    "image_id": image,
                    "category_id": CLASSES.index(seen.class_name) + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                    "ignore": int(not seen.clear),
                    "track_id": seen.track_id,
                    "visible": seen.visible,
                }
            )
