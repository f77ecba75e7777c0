"""What the API says of a running camera."""

from flows.service.views import live_view
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from streetloop.cameras.camera_file import parse_camera
from tests.support.stream_flow.build import fault

_CAMERA = parse_camera({"id": "a40", "uri": "rtsp://user:hunter2@10.0.0.7/a40"})


def test_a_detector_that_fails_is_a_fault_of_its_camera() -> None:
    status = CameraStatus("a40", detector_error="out of memory", faults=(fault("the disk is full"),))
    view = live_view(_CAMERA, status, (10.0, 0.0), "champion")
    assert view.faults == ["the detector fails: out of memory", "the disk is full"]
    assert live_view(_CAMERA, CameraStatus("a40"), (10.0, 9.0), "champion").faults == []


def test_the_account_says_why_frames_were_not_detected() -> None:
    reasons = {"rate": 60, "still": 8, "stale": 2}
    account = Account(decoded=90, detected=20, gated=68, dropped=2, reasons=reasons)
    frames = live_view(_CAMERA, CameraStatus("a40", account=account), (10.0, 9.0), "champion").frames
    assert (frames.gated, frames.reasons) == (68, reasons)
