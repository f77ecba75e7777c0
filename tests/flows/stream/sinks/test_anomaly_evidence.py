"""Each anomaly has a picture."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.stream.anomalies.anomaly_watch import Anomaly
from flows.stream.sinks.anomaly_evidence import AnomalyEvidence
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.errors import StoreError
from streetloop.images import decode_image
from streetloop.storage.store import FolderStore
from tests.support.stream_flow.build import NOON, frame, result

BEGIN = Anomaly("queue-0-0", "a", AnomalyKind.QUEUE, NOON, None, 1.0, None, {}, "m-1", "queue/1", 1.0)
END = replace(BEGIN, ended_at=NOON)


class FullStore(FolderStore):
    """A store whose disk is full."""

    def put(self, key: str, data: bytes) -> None:
        raise StoreError("the disk is full")


def test_the_frame_of_the_begin_is_stored_and_ends_follow_in_order(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    sink = AnomalyEvidence(store)
    for number, anomalies in enumerate([(BEGIN,), (), (END,)]):
        sink.take(replace(result(frame(number)), anomalies=anomalies))
    sink.close()
    begin, end = sink.collect()
    assert (begin.ended_at, end.ended_at) == (None, NOON)
    (key,) = begin.evidence
    assert key.startswith("events/")
    assert decode_image(store.get(key)).shape == frame(0).picture.bgr().shape
    assert sink.collect() == []


def test_an_anomaly_whose_picture_is_not_stored_is_told_of_all_the_same(tmp_path: Path) -> None:
    sink = AnomalyEvidence(FullStore(tmp_path))
    sink.take(replace(result(frame(0)), anomalies=(BEGIN,)))
    with pytest.raises(StoreError, match="full"):
        sink.close()
    assert sink.collect() == [BEGIN]


def test_without_anomalies_there_is_no_thread(tmp_path: Path) -> None:
    sink = AnomalyEvidence(FolderStore(tmp_path))
    sink.take(result(frame(0)))
    assert sink._thread is None
    sink.close()
