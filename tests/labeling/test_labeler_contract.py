"""The contract of a labeler, held by the oracle."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from labeling.labeler import Labeler
from labeling.oracle_labeler import OracleLabeler
from streetloop.clock import SystemClock
from streetloop.ledger.reviews import FrameRecord
from tests.support.contracts.labeler_contract import LabelerContract
from tests.support.samples.frames import review

URI = "sim://larkfield/gantry?traffic=busy&seed=1"


class TestOracleLabeler(LabelerContract):
    @pytest.fixture
    def labeler(self) -> Labeler:
        return OracleLabeler(SystemClock())

    @pytest.fixture
    def frames(self) -> Sequence[FrameRecord]:
        return [
            replace(review(k), width=640, height=360, origin={"uri": URI, "frame": 40 + k}) for k in range(2)
        ]
