"""What a training starts from, and learns from: the labels of the queue, or a dataset."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from flows.learning.dataset_builder import TrainingMaterial, gather_material
from flows.learning.training_plan import TrainingRequest
from streetloop.errors import TrainingError
from streetloop.ledger import Ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Detections
from train.data.dataset import TRAIN, Dataset, Example, load_dataset, merged
from train.data.from_labels import separated
from train.data.other_classes import completed, unasked_classes, with_classes, with_unasked
from train.model.model_file import ModelFile, open_model
from train.model.predictions import predict_examples
from train.model_registry import Version

_SURE = 0.5  # confidence of a box of the champion that is taken for a label

Say = Callable[[str], None]


def start_of(settings: Settings, champion: ModelFile, request: TrainingRequest) -> ModelFile:
    """The model that a training starts from: the champion, or the file that was asked for.

    Raises:
        TrainingError: It has no checkpoint, or as many classes as the champion in another order.
        ModelError: The file cannot be used.
    """
    start = champion if request.start is None else open_model(request.start, settings.models)
    if start.checkpoint is None:
        raise TrainingError(f"{start.version} has no .pt checkpoint to start from")
    _refuse_other_order(start, champion)
    return start


def _refuse_other_order(start: ModelFile, champion: ModelFile) -> None:
    """Refuse a start whose head would begin with its own classes in the place of others.

    With another number of classes the head is new. With the same number it is taken over by
    position, and `blend` keeps a share of it.
    """
    if len(start.names) != len(champion.names):
        return
    for own, name in enumerate(start.names):
        wanted = champion.names.index(name) if name in champion.names else own
        if wanted != own:
            raise TrainingError(
                f"{start.version} has {name!r} as class {own}, and the champion as class {wanted}: its head "
                "would begin with one in the place of the other; start from a model with the champion's order"
            )


def material_of(
    settings: Settings,
    ledger: Ledger,
    champion: Version,
    model: ModelFile,
    request: TrainingRequest,
    say: Say = lambda _: None,
) -> TrainingMaterial:
    """Gather what a training learns from and is judged by; changes nothing.

    Args:
        settings: Give the object store and the size of the model's input.
        ledger: Holds the labels.
        champion: The version to fine-tune.
        model: Its model file.
        request: ``dataset`` names a dataset; without it the labels of the queue are taken.
        say: Called with a sentence when the model looks at the dataset's images.

    Raises:
        DatasetError: There are no new labels, or no such dataset, or the champion lacks a class.
        DetectorError: The model failed on an image of the dataset.
    """
    if request.dataset is None:
        where = "labels" if request.place is None else f"labels of {request.place.city}"
        purpose = f"{where} for {request.name}"
        return gather_material(settings, ledger, champion, purpose, request.mapping, request.place)
    store = open_store(settings)
    imported = load_dataset(store, request.dataset)
    purpose = f"dataset {imported.digest[:12]} for {request.name}"
    dataset = with_classes(imported, champion.record.classes, request.mapping)
    dataset, added = _completed(settings, dataset, imported, model, request, say)
    parts = [replace(dataset, parents=(imported.digest,))]
    if champion.record.dataset:
        parts.insert(0, load_dataset(store, champion.record.dataset))
    boxes = "box" if added == 1 else "boxes"
    notes = (f"{added} {boxes} of classes that the dataset lacks are the champion's",) if added else ()
    whole = merged(parts, purpose) if len(parts) > 1 else replace(parts[0], purpose=purpose)
    return TrainingMaterial(separated(whole), (), (), notes)


def with_own_boxes(
    settings: Settings, material: TrainingMaterial, model: ModelFile, say: Say = lambda _: None
) -> TrainingMaterial:
    """With the champion's boxes of classes that people were not asked about, see `with_unasked`.

    Args:
        settings: Give the object store and the size of the model's input.
        material: What a training learns from.
        model: The champion.
        say: Called with a sentence when the model looks at images.

    Raises:
        DetectorError: The model failed on an image.
    """
    dataset = material.dataset
    some = [example for example in dataset.split(TRAIN) if unasked_classes(example)]
    if not some:
        return material
    say(f"looking for objects of classes that nobody was asked about in {len(some)} images")
    dataset, added = with_unasked(dataset, _sure_boxes(settings, model, some, len(dataset.classes)))
    boxes = "box" if added == 1 else "boxes"
    note = f"{added} {boxes} of classes that nobody was asked about are the champion's"
    return replace(material, dataset=dataset, notes=(*material.notes, note) if added else material.notes)


def _completed(
    settings: Settings,
    dataset: Dataset,
    imported: Dataset,
    model: ModelFile,
    request: TrainingRequest,
    say: Say,
) -> tuple[Dataset, int]:
    """With the champion's boxes of the classes that the imported dataset does not have."""
    names = {request.mapping.get(name, name) for name in imported.classes}
    labeled = {k for k, name in enumerate(dataset.classes) if name in names}
    if len(labeled) == len(dataset.classes):
        return dataset, 0
    learned = dataset.split(TRAIN)
    say(f"looking for objects of other classes in {len(learned)} images")
    return completed(dataset, _sure_boxes(settings, model, learned, len(dataset.classes)), labeled)


def _sure_boxes(
    settings: Settings, model: ModelFile, examples: Sequence[Example], classes: int
) -> dict[str, Detections]:
    """What a model finds in images, as far as it is sure, by digest."""
    same = {k: k for k in range(classes)}
    found = predict_examples(model, examples, open_store(settings), same, settings.image_size)
    return {e.image: _sure(answer) for e, answer in zip(examples, found, strict=True)}


def _sure(found: Detections) -> Detections:
    return found.take(found.confidence >= _SURE)
