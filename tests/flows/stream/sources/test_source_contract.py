"""The contract of a source, held by clips and simulated cameras."""

from pathlib import Path

import pytest

from flows.stream.sources.clip import ClipSource, parse_clip_uri
from flows.stream.sources.simulated import SimulatedSource
from flows.stream.sources.source import Source
from streetloop.clock import SystemClock
from tests.support.contracts.source_contract import SourceContract
from tests.support.stream_flow.build import write_clip


class TestClipSource(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        path = write_clip(tmp_path / "clip.mp4", [20, 60, 100, 140, 180])
        return ClipSource(*parse_clip_uri(f"file://{path}?live=0"), SystemClock())


class TestSimulatedSource(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return SimulatedSource("sim://larkfield/gantry?size=320x180&frames=20&live=0", SystemClock())


class TestLiveSimulatedSource(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return SimulatedSource("sim://larkfield/gantry?size=320x180&fps=30", SystemClock())
