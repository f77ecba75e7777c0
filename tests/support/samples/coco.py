"""COCO files for tests."""

from train.data.dataset import Dataset


def coco_content(dataset: Dataset) -> dict[str, list[dict[str, object]]]:
    """A dataset as COCO writes it; ``file_name`` is the key in the store."""
    numbered = list(enumerate(dataset.examples, start=1))
    boxes = [(number, box, *box.xyxy) for number, example in numbered for box in example.boxes]
    return {
        "images": [
            {"id": number, "file_name": example.key, "width": example.width, "height": example.height}
            for number, example in numbered
        ],
        "annotations": [
            {
                "id": k,
                "image_id": number,
                "category_id": box.class_id + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "iscrowd": int(box.ignored),
            }
            for k, (number, box, x1, y1, x2, y2) in enumerate(boxes, start=1)
        ],
        "categories": [{"id": k, "name": name} for k, name in enumerate(dataset.classes, start=1)],
    }
