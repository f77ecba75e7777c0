"""HTTP servers that redirect, refuse, dawdle, never end, or send something else."""

import gzip
import itertools
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.stream.sources.http import client
from flows.stream.sources.http.snapshot import parse_snapshot_uri
from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source, SourceFrame
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.errors import (
    ConfigError,
    SourceError,
    SourceRefused,
    SourceStalled,
    SourceUnavailable,
    SourceUnreadable,
)
from streetloop.secrets import SecretUri
from streetloop.video import speaks
from tests.support.contracts.vendor_errors import errors_of
from tests.support.samples.odd_clips import steady, write_stamped
from tests.support.servers.cameras.http_camera import (
    Answer,
    HttpCamera,
    Request,
    basic,
    digest,
    jpeg,
    mjpeg,
    parts_of,
    redirect,
    snapshots,
    trickle,
    unfinished,
)

PASSWORD = "hunter2"
LOGIN = f"admin:{PASSWORD}@"
SNAPSHOT, VIDEO = "snapshot+http", "http"
both = pytest.mark.parametrize("scheme", [SNAPSHOT, VIDEO])


@pytest.fixture
def server() -> Iterator[HttpCamera]:
    with HttpCamera() as running:
        yield running


def _source(uri: str) -> Source:
    return open_source(Camera(id="a", uri=SecretUri(uri)), SystemClock())


def _read(source: Source, most: int = 3) -> list[SourceFrame]:
    return list(itertools.islice(source.read(threading.Event()), most))


def _failure(source: Source, kind: type[SourceError]) -> str:
    for fails in (source.probe, lambda: _read(source)):
        with pytest.raises(kind) as caught:
            fails()
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def _grays(frames: list[SourceFrame]) -> list[int]:
    return [round(float(frame.picture.bgr().mean())) for frame in frames]


# What is there


def test_pictures_of_mjpeg_come_in_order_with_or_without_their_length(server: HttpCamera) -> None:
    grays = [20, 60, 100, 140]
    for number, (length, dashes) in enumerate(itertools.product([True, False], ["", "--"])):
        server.answers[f"/{number}"] = mjpeg(grays, length=length, dashes=dashes)
        found = _read(_source(server.url(f"/{number}")), 4)
        assert _grays(found) == pytest.approx(grays, abs=2)


def test_the_time_of_mjpeg_is_that_of_its_arrival(server: HttpCamera) -> None:
    server.answers["/video"] = mjpeg([20, 60, 100], period_s=0.3)
    began = time.monotonic()
    times = [frame.media_s or 0.0 for frame in _read(_source(server.url("/video")))]
    passed = time.monotonic() - began
    assert times[0] < times[1] < times[2]
    assert times[2] - times[0] <= passed
    assert passed >= 2 * 0.3


def test_the_end_of_mjpeg_is_a_loss(server: HttpCamera) -> None:
    server.answers["/video"] = mjpeg([20])
    source = _source(server.url("/video"))
    with pytest.raises(SourceUnavailable, match="closed the stream") as caught:
        _read(source)
    assert not source.is_final(caught.value)


def test_a_recording_is_paced_and_ends(server: HttpCamera, tmp_path: Path) -> None:
    write_stamped(tmp_path / "a.mp4", steady(10, start_s=600) + steady(5, start_s=700))
    server.serve_folder(tmp_path)
    clock = SystemClock()
    began, arrivals, gaps = clock.monotonic(), [], 0
    for frame in _source(server.url("/a.mp4")).read(threading.Event()):
        arrivals.append(clock.monotonic() - began)
        gaps += frame.gap
    assert len(arrivals) == 15
    assert 1.3 <= arrivals[-1] < 60  # paced, and no wait for the gap of 99 s
    assert gaps == 1


def test_snapshots_are_asked_for_at_their_period(server: HttpCamera) -> None:
    server.answers["/now.jpg"] = snapshots(40, 90)
    began = time.monotonic()
    found = _read(_source(server.url("/now.jpg?every=0.2&c=1", scheme=SNAPSHOT)), 4)
    assert time.monotonic() - began >= 3 * 0.2
    assert _grays(found) == pytest.approx([40, 90, 40, 90], abs=2)
    assert (found[3].media_s or 0) > (found[0].media_s or 0)
    assert {path for path, _ in server.asked} == {"/now.jpg?c=1"}  # `every` is ours


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf", "often", "4000", ""])
def test_a_period_of_no_sense_is_refused(every: str) -> None:
    with pytest.raises(ConfigError, match="every is the seconds between two pictures"):
        parse_snapshot_uri(SecretUri(f"snapshot+https://h/a.jpg?every={every}"))


def test_a_signed_query_is_passed_on_as_it_is() -> None:
    address, every_s = parse_snapshot_uri(SecretUri("snapshot+https://h/a.jpg?sig=a%2Bb~c"))
    assert (address.reveal(), every_s) == ("https://h/a.jpg?sig=a%2Bb~c", 1.0)


def test_the_prefix_of_a_snapshot_is_read_in_any_case() -> None:
    address, _ = parse_snapshot_uri(SecretUri("Snapshot+http://h/a.jpg"))
    assert address.reveal() == "http://h/a.jpg"


# Who is let in


@pytest.mark.parametrize("ask", [basic, digest])
@both
def test_credentials_are_given_to_who_asks(server: HttpCamera, scheme: str, ask: object) -> None:
    then = snapshots(40) if scheme == SNAPSHOT else mjpeg([40, 40])
    server.answers["/x"] = ask("admin", PASSWORD, then)  # type: ignore[operator]
    assert _grays(_read(_source(server.url("/x", LOGIN, scheme)), 1)) == pytest.approx([40], abs=2)
    assert server.asked[0][1] is None  # not before it was asked


@both
def test_wrong_credentials_are_final_until_it_was_live(server: HttpCamera, scheme: str) -> None:
    server.answers["/x"] = basic("admin", "another", snapshots(40))
    source = _source(server.url("/x", LOGIN, scheme))
    assert "wrong user or password" in _failure(source, SourceRefused)
    assert source.is_final(SourceRefused("401"))
    server.answers["/x"] = snapshots(40) if scheme == SNAPSHOT else mjpeg([40, 40])
    _read(source, 1)
    assert not source.is_final(SourceRefused("401"))


@both
def test_a_redirection_to_another_host_gets_no_credentials(server: HttpCamera, scheme: str) -> None:
    then = snapshots(40) if scheme == SNAPSHOT else mjpeg([40, 40])
    with HttpCamera() as other:
        other.answers["/x"] = then
        server.answers["/x"] = basic("admin", PASSWORD, redirect(other.url("/x")))
        _read(_source(server.url("/x", LOGIN, scheme)), 1)
        assert [authorization for _, authorization in other.asked if authorization] == []
        assert other.asked


@pytest.mark.parametrize("status", [302, 401])
@both
def test_bodies_of_redirections_and_refusals_are_not_read(
    server: HttpCamera, scheme: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", 1.0)
    then = snapshots(40) if scheme == SNAPSHOT else mjpeg([40, 40])
    asks = unfinished(status, Location="/there", WWW_Authenticate='Basic realm="camera"')
    server.answers["/there"] = then
    server.answers["/x"] = lambda request: (then if request.headers.get("Authorization") else asks)(request)
    assert len(_read(_source(server.url("/x", LOGIN, scheme)), 1)) == 1


# What goes wrong


@both
def test_nothing_is_unpacked(server: HttpCamera, scheme: str) -> None:
    bomb = gzip.compress(bytes(client.MAX_BYTES + 1))
    kind = "image/jpeg" if scheme == SNAPSHOT else "multipart/x-mixed-replace; boundary=frame"
    wanted = []

    def answer(request: Request) -> None:
        wanted.append(request.headers["Accept-Encoding"])
        request.say(200, bomb, kind, Content_Encoding="gzip")

    server.answers["/x"] = answer
    with pytest.raises(SourceError, match=r"not a picture|closed the stream"):
        _read(_source(server.url("/x", scheme=scheme)))
    assert set(wanted) == {"identity"}


def test_a_recording_that_breaks_off_is_not_played_anew(server: HttpCamera, tmp_path: Path) -> None:
    data = write_stamped(tmp_path / "a.mkv", steady(40, fps=25), fps=25).read_bytes()

    def answer(request: Request) -> None:
        request.begin(200, "video/x-matroska", Content_Length=str(len(data)))
        request.wfile.write(data[: len(data) * 3 // 4])
        request.close_connection = True

    server.answers["/a.mkv"] = answer
    source = _source(server.url("/a.mkv"))
    frames = source.read(threading.Event())
    next(frames)
    with pytest.raises(SourceError, match="broke off") as caught:
        list(frames)
    assert source.is_final(caught.value)


def test_a_bad_first_picture_does_not_end_a_camera(server: HttpCamera) -> None:
    server.answers["/x"] = lambda request: request.say(200, jpeg()[:200], "image/jpeg")
    server.answers["/v"] = parts_of(b"none", b"none")
    for address in (server.url("/x", scheme=SNAPSHOT), server.url("/v")):
        source = _source(address)
        with pytest.raises(SourceUnreadable) as caught:
            _read(source)
        assert not source.is_final(caught.value)


@both
def test_a_wrong_kind_of_content_is_final(server: HttpCamera, scheme: str) -> None:
    server.answers["/x"] = lambda request: request.say(200, b"<html>", "text/html")
    source = _source(server.url("/x", scheme=scheme))
    with pytest.raises(SourceUnreadable) as caught:
        _read(source)
    assert source.is_final(caught.value)


def test_one_broken_picture_of_mjpeg_is_passed_over_and_said_once(
    server: HttpCamera, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["/v"] = parts_of(b"none", jpeg(40), b"none", jpeg(90))
    assert _grays(_read(_source(server.url("/v")), 2)) == pytest.approx([40, 90], abs=2)
    assert len([one for one in caplog.messages if "passed over" in one]) == 1


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="a", nonce="b", algorithm=ODD',
        'Digest realm="a", nonce="b", qop="auth-int"',
        'Digest realm="a", nonce',
    ],
)
@both
def test_an_odd_challenge_is_unavailable(server: HttpCamera, scheme: str, challenge: str) -> None:
    server.answers["/x"] = lambda request: request.say(401, WWW_Authenticate=challenge)
    _failure(_source(server.url("/x", LOGIN, scheme)), SourceUnavailable)


@both
def test_an_odd_host_is_unavailable(scheme: str) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        _source(f"{scheme}://{LOGIN}{'a' * 70}.example/x").probe()


@both
def test_what_is_not_there_is_unavailable(server: HttpCamera, scheme: str) -> None:
    source = _source(server.url("/none?token=hunter2", LOGIN, scheme))
    assert "404" in _failure(source, SourceUnavailable)
    assert not source.is_final(SourceUnavailable("404"))


@both
def test_a_server_that_is_away_is_unavailable(scheme: str) -> None:
    message = _failure(_source(f"{scheme}://{LOGIN}127.0.0.1:1/x"), SourceUnavailable)
    assert "http://***@127.0.0.1:1/x" in message


@pytest.mark.parametrize("status", [500, 503, 204])
@both
def test_an_error_of_the_server_is_unavailable(server: HttpCamera, scheme: str, status: int) -> None:
    server.answers["/x"] = lambda request: request.say(status)
    kind = SourceUnavailable if status != 204 else SourceError
    _failure(_source(server.url("/x", scheme=scheme)), kind)


@both
def test_redirections_in_a_circle_and_to_files_end(server: HttpCamera, scheme: str) -> None:
    server.answers["/round"] = redirect("/round")
    assert "redirects too often" in _failure(_source(server.url("/round", scheme=scheme)), SourceUnavailable)
    server.answers["/file"] = redirect("file:///etc/passwd")
    assert "no address of HTTP" in _failure(_source(server.url("/file", scheme=scheme)), SourceUnreadable)


@pytest.mark.parametrize(
    ("scheme", "kind", "body", "words"),
    [
        (VIDEO, "text/html", b"<html>log in</html>", "is text/html, not a video"),
        (VIDEO, "image/jpeg", jpeg(), r"is a single picture; write snapshot\+http"),
        (VIDEO, "video/mp4", b"this is no video" * 99, "is not a readable video"),
        (VIDEO, "multipart/x-mixed-replace", b"--x\r\n", "without a boundary"),
        (VIDEO, "application/vnd.apple.mpegurl", b"#EXTM3U\nfile:///etc/passwd\n", "readable|opened"),
        (SNAPSHOT, "text/html", b"<html>log in</html>", "is text/html, not a picture"),
        (SNAPSHOT, "text/plain", b"no picture", "is text/plain, not a picture"),
        (SNAPSHOT, "multipart/x-mixed-replace; boundary=x", b"--x", "not a picture"),
        (SNAPSHOT, "image/jpeg", b"", "is empty"),
        (SNAPSHOT, "image/jpeg", jpeg()[:200], "cannot be decoded|not a picture"),
        (SNAPSHOT, "image/jpeg", b"no picture at all", "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(
    server: HttpCamera, scheme: str, kind: str, body: bytes, words: str
) -> None:
    server.answers["/x"] = lambda request: request.say(200, body, kind)
    source = _source(server.url("/x", LOGIN, scheme))
    for fails in (source.probe, lambda: _read(source)):
        with pytest.raises(SourceError, match=words):
            fails()


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", "application/octet-stream", ""])
def test_a_picture_is_one_whatever_the_server_calls_it(server: HttpCamera, kind: str) -> None:
    server.answers["/x"] = lambda request: request.say(200, jpeg(), kind)
    info = _source(server.url("/x", scheme=SNAPSHOT)).probe()
    assert info.codec == "jpeg"


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        (SNAPSHOT, trickle("image/jpeg", b"x", 0.05)),
        (VIDEO, trickle("multipart/x-mixed-replace; boundary=frame", b"--frame\r\nx", 0.05)),
    ],
)
def test_a_picture_that_never_ends_is_given_up(
    server: HttpCamera, scheme: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Twenty seconds in operation.
    monkeypatch.setattr(client, "PICTURE_S", 0.3)
    server.answers["/x"] = answer
    with pytest.raises(SourceStalled, match="for one picture"):
        _read(_source(server.url("/x", scheme=scheme)))


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        (SNAPSHOT, trickle("image/jpeg", b"x" * 100_000, 0.0)),
        (VIDEO, trickle("multipart/x-mixed-replace; boundary=frame", b"--frame\r\n" + b"x" * 99_999, 0.0)),
    ],
)
def test_a_picture_without_end_is_not_kept(
    server: HttpCamera, scheme: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 1_000_000)
    server.answers["/x"] = answer
    with pytest.raises(SourceUnreadable, match="a picture of more than"):
        _read(_source(server.url("/x", scheme=scheme)))


@both
def test_a_server_that_says_nothing_is_stalled(
    server: HttpCamera, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", 0.2)
    server.answers["/x"] = lambda request: request.pause(30)
    with pytest.raises(SourceStalled, match="no answer within the time-out"):
        _source(server.url("/x", LOGIN, scheme)).probe()


def test_every_error_of_httpx_has_a_translation() -> None:
    raised = errors_of(httpx)
    assert len(raised) > 15
    mapped = client.TRANSLATED
    left = {httpx.HTTPStatusError, httpx.StreamError, httpx.RequestError, httpx.TransportError}
    assert [e for e in raised if not any(b in mapped for b in e.__mro__) and e not in left] == []


def test_a_protocol_that_ffmpeg_lacks_is_refused_by_name() -> None:
    assert speaks("http")
    assert not speaks("gopherz")
    if not speaks("srt"):  # as in PyAV's own wheels
        with pytest.raises(ConfigError, match="without srt"):
            _source("srt://127.0.0.1:9?passphrase=hunter2hunter2")
