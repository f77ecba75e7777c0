"""Datasets from and to the formats of other tools."""

from train.data.formats.coco import read_coco
from train.data.formats.export import write_coco, write_yolo
from train.data.formats.imported import ImagesInPlace, ImportedDataset, store_images
from train.data.formats.yolo import read_yolo

__all__ = [
    "ImagesInPlace",
    "ImportedDataset",
    "read_coco",
    "read_yolo",
    "store_images",
    "write_coco",
    "write_yolo",
]
