"""Replay for the baseline: daylight images like those that it was trained on."""

from dataclasses import replace

from streetloop.city.render.shapes import CLASSES
from streetloop.host.processes import in_own_process
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import TRAIN, VALIDATION, Dataset, Example, save_dataset
from train.data.from_labels import USUAL
from train.data.simulated_dataset import TRAIN_CAMERAS, VALIDATION_SEEDS, Split, gather_split

_TRAIN_SPLIT = Split("replay", TRAIN_CAMERAS, 0, 18)
_VALIDATION_SPLIT = Split("replay-val", TRAIN_CAMERAS, VALIDATION_SEEDS, 3)


REPLAY_SIZES = {TRAIN: 18 * len(TRAIN_CAMERAS), VALIDATION: 3 * len(TRAIN_CAMERAS)}
"""Images of the replay dataset by split, known before it is drawn."""


def replay_of_baseline(settings: Settings) -> Dataset:
    """Draw and save the baseline's replay dataset; takes a minute, at the lowest priority.

    Raises:
        StoreError: The object store does not take it.
        ProcessDied: The process that draws was killed.
    """
    examples = in_own_process(_draw, settings)
    dataset = Dataset(tuple(CLASSES), tuple(examples), purpose="replay of the baseline's day")
    save_dataset(open_store(settings), dataset)
    return dataset


def _draw(settings: Settings) -> list[Example]:
    store = open_store(settings)
    drawn = gather_split(_TRAIN_SPLIT, store, TRAIN) + gather_split(_VALIDATION_SPLIT, store, VALIDATION)
    return [replace(example, slices=(USUAL,)) for example in drawn]
