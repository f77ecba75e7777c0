"""The table of costs: what a camera and a frame cost, what a GPU gives, and who says so."""

from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from streetloop.errors import ConfigError


class _TableEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cost(_TableEntry):
    """One cost.

    Attributes:
        cost: What is paid for.
        value: How much.
        unit: Of the value.
        source: Who measured or states it; ``measured here``, ``published``, ``data sheet``,
            ``extrapolated``, ``assumption`` or ``the code``, and where.
    """

    cost: str
    value: float
    unit: str
    source: str


class Node(_TableEntry):
    """A machine of the cluster.

    Attributes:
        cores: Physical cores.
        gpus: GPUs.
        memory_gb: Main memory in GB.
        network_mbit: Of its network card, in Mbit/s.
        source: The data sheet.
    """

    cores: int
    gpus: int
    memory_gb: float
    network_mbit: float
    source: str


class Gpu(_TableEntry):
    """A kind of GPU, and the node that has it.

    Attributes:
        bandwidth_gb_s: Bandwidth of its memory in GB/s; None without a GPU.
        source: The data sheet.
        node: The node.
    """

    bandwidth_gb_s: float | None = None
    source: str
    node: Node


class GpuReference(_TableEntry):
    """The GPU of which a frame rate is published; others are extrapolated by memory bandwidth.

    Attributes:
        gpu: Its name.
        frames_per_s: Its rate with yolov8n at 640 pixels.
        source: Who published it.
    """

    gpu: str
    frames_per_s: float
    source: str


class CostTable(_TableEntry):
    """All costs.

    Attributes:
        costs: By name.
        gpus: By name; ``none`` is a node without one.
        reference: What the rates of GPUs are derived from.
    """

    costs: dict[str, Cost]
    gpus: dict[str, Gpu]
    reference: GpuReference

    def gpu(self, name: str) -> Gpu:
        """A kind of GPU.

        Raises:
            ConfigError: It is not in the table; the message names those that are.
        """
        found = self.gpus.get(name.lower())
        if found is None:
            raise ConfigError(f"no costs are known of the GPU {name!r}; known are {', '.join(self.gpus)}")
        return found

    def detect(self, name: str) -> Cost:
        """Frames per second that a GPU detects, with its source; of ``none``, the cost on a CPU.

        Raises:
            ConfigError: As `gpu`.
        """
        gpu, reference = self.gpu(name), self.reference
        if gpu.bandwidth_gb_s is None:
            return self.costs["detect_ms"]
        of_reference = self.gpus[reference.gpu].bandwidth_gb_s
        assert of_reference is not None
        rate = reference.frames_per_s * gpu.bandwidth_gb_s / of_reference
        source = reference.source
        if name.lower() != reference.gpu:
            source = f"extrapolated by memory bandwidth ({gpu.source}) from: {reference.source}"
        return Cost(cost=f"detect on one {name.upper()}", value=round(rate), unit="frames/s", source=source)


@cache
def read_costs() -> CostTable:
    """The table that comes with streetloop."""
    return CostTable.model_validate_json(files("flows.capacity").joinpath("costs.json").read_text())
