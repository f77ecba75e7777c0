"""What is measured: backends, precisions, batches and sizes that work here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streetloop.errors import ConfigError, DetectorError, ModelError
from train.model.backends.backend import Backend
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.predictor import Predictor

RUNTIMES = (("onnx", "auto"), ("openvino", "fp32"), ("openvino", "bf16"), ("torch", "auto"))
"""Values of the settings ``backend`` and ``precision``; ``auto`` where there is no choice."""

LeaveOut = Callable[[str], None]
"""Called with a sentence on each combination that is not measured."""


@dataclass(frozen=True, eq=False)
class Network:
    """A model under one backend, with one image size.

    Attributes:
        predictor: The model.
        backend: Value of the setting ``backend``.
        precision: Value of the setting ``precision``.
    """

    predictor: Predictor
    backend: str
    precision: str

    @property
    def name(self) -> str:
        """Backend and precision as they run, such as ``openvino/bf16``."""
        return self.predictor.backend.name


@dataclass(frozen=True)
class Combination:
    """One row of the table.

    Attributes:
        network: Its network.
        batch: Pictures of one inference.
    """

    network: Network
    batch: int

    @property
    def settings(self) -> dict[str, str | int]:
        """The settings that serve so; a model of fixed size has no ``image_size``."""
        network = self.network
        found: dict[str, str | int] = {"backend": network.backend, "precision": network.precision}
        if network.predictor.model.contract.input.height is None:
            found["image_size"] = network.predictor.image_size
        return {**found, "max_batch": self.batch}


def combinations(
    model: ModelFile, sizes: Sequence[int], batches: Sequence[int], threads: int, leave_out: LeaveOut
) -> list[Combination]:
    """All that a machine and a model may be able to do.

    Args:
        model: The model file.
        sizes: Image sizes in pixels.
        batches: Pictures of one inference.
        threads: CPU threads of one inference.
        leave_out: Told what is not possible, and why.
    """
    sizes, batches = _sizes(model, sizes, leave_out), _batches(model, batches, leave_out)
    found = []
    for kind, precision, backend in _backends(model, threads, leave_out):
        for size in sizes:
            network = Network(Predictor(model, backend, size), kind, precision)
            found += [Combination(network, batch) for batch in batches]
    return found


def _backends(model: ModelFile, threads: int, leave_out: LeaveOut) -> list[tuple[str, str, Backend]]:
    """The backends that open the model here, each with its values of the settings."""
    found = []
    for kind, precision in RUNTIMES:
        try:
            found.append((kind, precision, open_backend(model, kind, threads, precision)))
        except (ConfigError, ModelError, DetectorError) as error:
            leave_out(f"{kind if precision == 'auto' else f'{kind}/{precision}'}: {error}")
    return found


def _sizes(model: ModelFile, sizes: Sequence[int], leave_out: LeaveOut) -> list[int]:
    """The image sizes that make a difference to the model."""
    kept: dict[tuple[int, int], int] = {}
    for size in sizes:
        shape = model.contract.input.size_for(size, size, size)
        if shape in kept:
            same = f"an input of {shape[1]}x{shape[0]}, as size {kept[shape]}"
            leave_out(f"size {size}: gives {model.version} {same}")
            continue
        kept[shape] = size
    return list(kept.values())


def _batches(model: ModelFile, batches: Sequence[int], leave_out: LeaveOut) -> list[int]:
    """The batches that the model takes."""
    fixed = model.contract.input.batch
    if fixed is None:
        return list(dict.fromkeys(batches))
    for batch in batches:
        if batch != fixed:
            leave_out(f"batch {batch}: {model.version} takes {fixed} at a time, which is measured")
    return [fixed]
