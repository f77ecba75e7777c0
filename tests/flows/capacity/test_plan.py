"""A plan is arithmetic: it rises with what is asked for, and every number has a source."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.capacity.costs import read_costs
from flows.capacity.plan import CapacityPlan, make_plan
from flows.cli.main import app
from streetloop.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
TABLE = read_costs()
GPUS = sorted(TABLE.gpus)
RESULTS = ("nodes", "cores", "gpus", "memory_gb", "network_mbit", "storage_gb_day")
WAYS = ("measured here: ", "published by ", "data sheet: ", "extrapolated by ", "assumption", "the code: ")


def planned(cameras: int = 2000, fps: float = 10, gpu: str = "h100") -> CapacityPlan:
    return make_plan(cameras, fps, gpu, TABLE)


@given(
    st.integers(1, 900_000),
    st.integers(0, 100_000),
    st.floats(0.1, 60),
    st.floats(0, 60),
    st.sampled_from(GPUS),
)
def test_more_cameras_and_more_frames_never_need_less(
    cameras: int, more: int, fps: float, faster: float, gpu: str
) -> None:
    small = planned(cameras, fps, gpu)
    for large in (planned(cameras + more, fps, gpu), planned(cameras, fps + faster, gpu)):
        assert all(getattr(large, name) >= getattr(small, name) for name in RESULTS)


def test_the_cores_of_a_small_plan_can_be_computed_by_hand() -> None:
    value = {name: cost.value for name, cost in TABLE.costs.items()}
    found = planned(8, 10, "none")
    frames = 8 * 10
    per_frame = value["letterbox_ms"] + value["call_ms"] + value["track_ms"] + value["detect_ms"]
    busy_ms = 8 * 25 * value["decode_ms"] + frames * per_frame + 8 * value["drift_ms"]
    assert found.cores == math.ceil(busy_ms / 1000)
    assert (found.nodes, found.gpus, found.limited_by) == (1, 0, "cores")
    assert found.network_mbit == 8 * value["stream_mbit"], "one node sends no frames to another"


def test_the_nodes_have_what_the_plan_asks_for() -> None:
    for gpu in GPUS:
        found, node = planned(gpu=gpu), TABLE.gpus[gpu].node
        assert found.nodes * node.cores >= found.cores
        assert found.nodes * node.gpus >= found.gpus
        assert found.nodes * node.memory_gb >= found.memory_gb
        assert found.nodes * node.network_mbit >= found.network_mbit


def test_a_faster_gpu_needs_fewer() -> None:
    assert planned(gpu="h200").gpus < planned(gpu="h100").gpus < planned(gpu="t4").gpus


def test_a_gpu_is_named_in_any_case() -> None:
    assert planned(gpu="H100") == planned(gpu="h100")


@pytest.mark.parametrize("gpu", GPUS)
def test_every_driver_has_a_source(gpu: str) -> None:
    drivers = planned(gpu=gpu).drivers
    assert {driver.drives for driver in drivers} >= {"cores", "memory", "network", "storage", "nodes"}
    for driver in drivers:
        assert driver.source.startswith(WAYS), driver
        assert driver.unit
        assert driver.cost


def test_an_unknown_gpu_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known are none, t4, l4"):
        planned(gpu="abacus")


@pytest.mark.parametrize(("cameras", "fps"), [(0, 10), (-1, 10), (10, 0), (10, float("nan")), (10, 1e9)])
def test_values_out_of_range_are_refused(cameras: int, fps: float) -> None:
    with pytest.raises(ConfigError, match="plan for 1 to"):
        planned(cameras, fps)


def test_figures_that_were_measured_here_are_those_of_the_benchmarks() -> None:
    backends = json.loads((ROOT / "benchmarks/results/backends.json").read_text())
    eight = backends["figures"]["milliseconds"]["8x384x640"]["openvino/bf16"]
    assert TABLE.costs["detect_ms"].value == pytest.approx(eight * backends["machine"]["cores"] / 8)
    capacity = json.loads((ROOT / "benchmarks/results/capacity.json").read_text())["figures"]
    names = {"decode_ms": "decode_ms", "letterbox_ms": "letterbox_ms"}
    names |= {"detection_bytes": "bytes_per_detection", "frame_bytes": "bytes_per_decoded_frame"}
    assert {name: TABLE.costs[name].value for name in names} == {
        name: capacity[figure] for name, figure in names.items()
    }
    page = (ROOT / "docs/benchmarks.md").read_text()
    for said in (
        "| 22.6 MB |",
        "| 317 MB |",
        "| 787 MB |",
        "| 1.3 ms |",
        "| 0.31 s |",
        "costs the tracker 1.0 ms",
    ):
        assert said in page


def test_the_command_prints_the_plan_as_json() -> None:
    arguments = ["plan", "--cameras", "2000", "--fps", "10", "--gpu", "h100", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert set(RESULTS) <= set(said)
    assert all({"cost", "value", "unit", "source"} <= set(driver) for driver in said["drivers"])


def test_the_command_shows_what_limits_and_where_costs_come_from() -> None:
    done = CliRunner().invoke(app, ["plan", "--cameras", "8", "--fps", "5"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "limited by cores" in done.stdout
    assert "benchmarks/results/backends.json" in done.stdout
