"""``streetloop evaluate-tracks``: how good are tracks and counts?"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from flows.reports.tracks.camera_run import CameraRun, local_detector, run_camera
from flows.reports.tracks.counts import Geometry, count_tracks, includes
from flows.reports.tracks.mot_files import MotTracks, read_mot
from flows.reports.tracks.recorded_source import RecordedSource
from flows.reports.tracks.report import TrackComparison, TrackReport
from flows.reports.tracks.track_scores import score_tracks
from flows.stream.sources.registry import refuse_bad_source
from streetloop.cameras.camera_file import Camera, refuse_uncountable
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, SourceError
from streetloop.settings import Settings

_SIMULATED_S = 90.0
_MAX_RECORDING_S = 900.0
_NO_PICTURES = Geometry(1, 1, 25.0)


def evaluate_files(truth: Path, found: Path, camera: Camera | None = None) -> TrackReport:
    """Evaluate a MOT file of found tracks against one of ground truth.

    Args:
        truth: The true tracks.
        found: The found tracks.
        camera: Gives its name and its counting lines; it is opened once for the size of its
            pictures. None counts objects only, under the name of the file of found tracks.

    Raises:
        ConfigError: A file is no MOT file, the truth holds no object, or the camera cannot be
            opened.
    """
    true, tracks = read_mot(truth, truth=True), read_mot(found, truth=False).tracked()
    _refuse_no_targets(true, str(truth))
    lines, geometry = ({}, _NO_PICTURES) if camera is None else (camera.lines, _geometry(camera))
    counts = [count_tracks(part, lines, geometry) for part in (true.targets(), tracks)]
    comparison = TrackComparison(true, tracks, *counts)
    return _report({found.stem if camera is None else camera.id: comparison})


def evaluate_cameras(
    cameras: Sequence[Camera], settings: Settings, seconds: float | None = None, truth: Path | None = None
) -> TrackReport:
    """Run cameras through the stream flow, and evaluate their tracks.

    Only the frames that the detector was asked about are compared. True objects and crossings are
    those of every frame that the camera gives.

    Args:
        cameras: Simulated cameras, whose truth comes with them, or one camera with ``truth``.
        settings: Of the run.
        seconds: Media time of each camera; by default a whole recording, but at most 900 s, and
            90 s of a simulated camera that does not end by itself.
        truth: MOT file with the true tracks of the only camera.

    Raises:
        ConfigError: A camera has no truth or cannot be opened, or its truth holds no object.
        ModelError: The model cannot be used.
        StreetloopError: A source or the detector failed.
    """
    true = None if truth is None else read_mot(truth, truth=True)
    _refuse_without_truth(cameras, truth)
    lengths = {camera.id: _seconds(camera, seconds) for camera in cameras}
    frames = {camera.id: _frames(camera, lengths[camera.id]) for camera in cameras}
    comparisons = {}
    with local_detector(settings) as (detector, contract), _bars() as bars:
        refuse_uncountable(cameras, settings.classes, contract.names)
        task = bars.add_task("", total=sum(frames.values()))
        before = 0
        for camera in cameras:
            bars.update(task, description=camera.id)
            progress = partial(_advance, bars, task, before)
            run = run_camera(camera, detector, settings, lengths[camera.id], progress, contract)
            comparisons[camera.id] = _compared(camera, settings, run, true)
            before += frames[camera.id]
    return _report(comparisons)


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _advance(bars: Progress, task: TaskID, before: int, done: int) -> None:
    bars.update(task, completed=before + done)


def _compared(camera: Camera, settings: Settings, run: CameraRun, truth: MotTracks | None) -> TrackComparison:
    """Compare a run with its own truth, or with ``truth`` up to its last frame.

    What the camera does not count need not be found. A MOT file does not name classes: all of it is
    counted.
    """
    class_of = run.class_of if truth is None else {}
    true = run.truth if truth is None else truth.take(truth.frame <= run.frames)
    groups = camera.classes if camera.classes is not None else settings.classes
    counts = count_tracks(true.targets(), camera.lines, run.geometry, class_of, groups)
    uncounted = [track for track, name in class_of.items() if not includes(groups, name)]
    true = true.demoted(np.isin(true.track_id, uncounted))
    _refuse_no_targets(true, f"camera {camera.id!r}: the truth of its {run.frames} frames")
    return TrackComparison(true.take(np.isin(true.frame, run.analysed)), run.found, counts, run.counts)


def _refuse_no_targets(truth: MotTracks, what: str) -> None:
    if not len(truth.targets()):
        raise ConfigError(f"{what} holds no object to be found, so there is nothing to evaluate")


def _report(comparisons: Mapping[str, TrackComparison]) -> TrackReport:
    overall, scores = score_tracks([(one.truth, one.found) for one in comparisons.values()])
    return TrackReport(overall, dict(zip(comparisons, scores, strict=True)), comparisons)


def _refuse_without_truth(cameras: Sequence[Camera], truth: Path | None) -> None:
    if truth is not None:
        the_camera(cameras)
    for camera in cameras:
        if camera.uri.scheme == "rtsp":
            raise ConfigError(
                f"camera {camera.id!r}: a live stream has no truth; evaluate a recording of it with --truth"
            )
        if camera.uri.scheme != "sim" and truth is None:
            raise ConfigError(
                f"camera {camera.id!r}: nothing says what is true in a clip; give a MOT file with --truth"
            )
        refuse_bad_source(camera, SystemClock())


def the_camera(cameras: Sequence[Camera]) -> Camera:
    """The only camera of a file.

    Raises:
        ConfigError: There are several.
    """
    if len(cameras) != 1:
        raise ConfigError(f"--truth is of one camera, and the file has {len(cameras)}; write a file of one")
    return cameras[0]


def _seconds(camera: Camera, seconds: float | None) -> float:
    """How long a camera is played: as said, to the end of a recording, or for some time."""
    if seconds is not None:
        return seconds
    info = RecordedSource(camera, SystemClock(), 0).probe()
    return _MAX_RECORDING_S if info.frames or camera.uri.scheme != "sim" else _SIMULATED_S


def _frames(camera: Camera, seconds: float) -> int:
    """How many frames a camera will give, for the progress bar."""
    info = RecordedSource(camera, SystemClock(), seconds).probe()
    wanted = round(seconds * (info.fps or _NO_PICTURES.fps))
    return min(wanted, info.frames or wanted)


def _geometry(camera: Camera) -> Geometry:
    try:
        info = RecordedSource(camera, SystemClock(), 0).probe()
    except SourceError as error:
        raise ConfigError(f"camera {camera.id!r}: {error}") from error
    return Geometry(info.width, info.height, info.fps or _NO_PICTURES.fps)
