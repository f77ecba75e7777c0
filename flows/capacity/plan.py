"""From cameras and frame rate to nodes: arithmetic on the table of costs."""

import math

from pydantic import BaseModel, ConfigDict

from flows.capacity.costs import Cost, CostTable, Node
from streetloop.errors import ConfigError

_CAMERAS_PER_WORKER = 8  # the default of the setting
_DAY_S = 86_400
MAX_CAMERAS = 1_000_000
MAX_FPS = 120.0


class CostDriver(BaseModel):
    """A cost that a plan is made of.

    Attributes:
        cost: What is paid for.
        value: How much each.
        unit: Of the value.
        source: Who measured or states it.
        drives: Which result it enters: ``cores``, ``gpus``, ``memory``, ``network``, ``storage`` or
            ``nodes``.
    """

    model_config = ConfigDict(frozen=True)

    cost: str
    value: float
    unit: str
    source: str
    drives: str


class CapacityPlan(BaseModel):
    """What a number of cameras needs.

    Attributes:
        cameras: How many.
        fps: Frames per second and camera that are analysed.
        gpu: Kind of GPU; ``none`` for detectors on CPUs.
        nodes: Machines, of the kind that the GPU's entry names.
        cores: Physical cores at full load, before headroom.
        gpus: GPUs, with headroom.
        memory_gb: Main memory in GB.
        network_mbit: Camera streams, and frames between nodes, in Mbit/s.
        storage_gb_day: Logs of a day in GB; pictures kept for labeling are not in it.
        limited_by: What the number of nodes follows from.
        drivers: The costs that went into it.
    """

    model_config = ConfigDict(frozen=True)

    cameras: int
    fps: float
    gpu: str
    nodes: int
    cores: int
    gpus: int
    memory_gb: float
    network_mbit: float
    storage_gb_day: float
    limited_by: str
    drivers: list[CostDriver]


def make_plan(cameras: int, fps: float, gpu: str, table: CostTable) -> CapacityPlan:
    """Plan a cluster; more cameras or frames never need less of anything.

    Every frame is taken to reach the detector: what the motion gate saves is not planned with.

    Args:
        cameras: How many, 1 to 1,000,000.
        fps: Frames per second and camera that are analysed, up to 120.
        gpu: A name in the table.
        table: The costs.

    Raises:
        ConfigError: A value is out of range, or the GPU is unknown.
    """
    if not 1 <= cameras <= MAX_CAMERAS or not 0 < fps <= MAX_FPS:
        raise ConfigError(f"plan for 1 to {MAX_CAMERAS:,} cameras and more than 0 to {MAX_FPS:g} frames/s")
    kind, load = table.gpu(gpu), _Load(cameras, fps, table)
    has_gpu = kind.bandwidth_gb_s is not None
    detect = table.detect(gpu)
    cores = load.cores + (0 if has_gpu else load.frames * detect.value / 1000)
    gpus = math.ceil(load.frames / (detect.value * load.headroom)) if has_gpu else 0
    needs = _nodes_by(kind.node, load, cores, gpus)
    limited_by = max(needs, key=lambda name: needs[name])
    nodes = needs[limited_by]
    return CapacityPlan(
        cameras=cameras,
        fps=fps,
        gpu=gpu.lower(),
        nodes=nodes,
        cores=math.ceil(cores),
        gpus=gpus,
        memory_gb=round(load.memory_gb(nodes, gpus), 1),
        network_mbit=round(load.streams_mbit + load.frames_mbit * (nodes - 1) / nodes, 1),
        storage_gb_day=round(load.storage_gb_day, 2),
        limited_by=limited_by,
        drivers=_drivers(table, detect, kind.node, has_gpu=has_gpu),
    )


class _Load:
    """What cameras ask for, whatever the nodes are."""

    def __init__(self, cameras: int, fps: float, table: CostTable) -> None:
        def value(name: str) -> float:
            return table.costs[name].value

        self._value, self._cameras = value, cameras
        self.headroom = value("headroom")
        self.frames = cameras * fps
        decoded = cameras * max(value("stream_fps"), fps)
        per_frame = value("letterbox_ms") + value("call_ms") + value("track_ms")
        busy_ms = decoded * value("decode_ms") + self.frames * per_frame + cameras * value("drift_ms")
        self.cores = busy_ms / 1000
        self.streams_mbit = cameras * value("stream_mbit") * max(1.0, fps / value("stream_fps"))
        self.frames_mbit = self.frames * value("frame_kb") * 8 / 1000
        logged = decoded * value("frame_bytes")
        logged += self.frames * value("detections") * value("detection_bytes")
        self.storage_gb_day = logged * _DAY_S / 1e9

    def memory_gb(self, nodes: int, gpus: int) -> float:
        """Main memory in GB; a node without a GPU has one detector."""
        value, workers = self._value, math.ceil(self._cameras / _CAMERAS_PER_WORKER)
        mb = self._cameras * value("camera_mb") + workers * value("worker_mb")
        mb += max(gpus, nodes) * value("detector_mb")
        mb += value("head_mb") + (nodes - 1) * value("node_mb")
        return mb / 1000


def _nodes_by(node: Node, load: _Load, cores: float, gpus: int) -> dict[str, int]:
    """Nodes that each resource asks for alone."""
    network = load.streams_mbit + load.frames_mbit
    return {
        "cores": _ceil(cores / (node.cores * load.headroom)),
        "gpus": _ceil(gpus / node.gpus) if node.gpus else 1,
        "memory": _ceil(load.memory_gb(1, gpus) / (node.memory_gb * load.headroom)),
        "network": _ceil(network / (node.network_mbit * load.headroom)),
    }


def _ceil(value: float) -> int:
    return max(1, math.ceil(value))


_DRIVES = {
    "cores": ("stream_fps", "decode_ms", "letterbox_ms", "call_ms", "track_ms", "drift_ms"),
    "memory": ("camera_mb", "worker_mb", "detector_mb", "head_mb", "node_mb"),
    "network": ("stream_mbit", "frame_kb"),
    "storage": ("detections", "detection_bytes", "frame_bytes"),
    "nodes": ("headroom",),
}


def _drivers(table: CostTable, detect: Cost, node: Node, *, has_gpu: bool) -> list[CostDriver]:
    known = [(table.costs[name], drives) for drives, names in _DRIVES.items() for name in names]
    of_node = [("cores", node.cores), ("GPUs", node.gpus), ("GB of memory", node.memory_gb)]
    of_node.append(("Mbit/s of network", node.network_mbit))
    known.insert(0, (detect, "gpus" if has_gpu else "cores"))
    for unit, value in of_node:
        cost = Cost(cost=f"{unit} of a node", value=value, unit=f"{unit}/node", source=node.source)
        known.append((cost, "nodes"))
    return [CostDriver(**cost.model_dump(), drives=drives) for cost, drives in known]
