#!/usr/bin/python3
"""A small real RTSP server that loops Annex-B files, for tests that need a live camera.

Runs under Debian's own Python, because the GStreamer bindings are Debian packages:

    rtsp_server.py --port P --mount NAME=FILE[+FILE...][:CODEC[:FPS]] [--user U --password W]
                   [--certificate PEM]

A mount with several files plays them in turn, so that files of different sizes make a camera
that changes its resolution mid-stream. With a PEM file of a certificate and its key it speaks
TLS. Port 0 takes a free one. When the server listens it prints `ready PORT`; it ends on SIGTERM,
or when its standard input is hung up.
"""

from __future__ import annotations

import argparse
import itertools
import re
import signal
import sys
from fractions import Fraction
from pathlib import Path

PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import Gio, GLib, Gst, GstRtspServer
except (ImportError, ValueError) as error:
    sys.exit(f"GStreamer is missing ({error}): apt-get install {PACKAGES}")

HOST = "127.0.0.1"
ROLE = "viewer"
# An access unit delimiter opens every access unit; the byte after it begins with the slice types.
DELIMITER = {"h264": b"\0\0\0\1\x09", "h265": b"\0\0\0\1\x46\1"}
LAST_WITHOUT_B = 1  # 0: I slices only, 1: I and P, 2 and above: B as well


def access_units(path: Path, codec: str) -> list[bytes]:
    """Cuts an Annex-B file into access units.

    Raises:
        ValueError: The file has no delimiters to cut at, or holds B-frames. Frames are stamped in
            file order, which is the order of display only without B-frames.
    """
    delimiter = DELIMITER[codec]
    units = re.split(b"(?=" + re.escape(delimiter) + b")", path.read_bytes())
    units = [unit for unit in units if unit.startswith(delimiter)]
    if not units:
        raise ValueError(f"{path}: no {codec} access unit delimiters")
    if any(unit[len(delimiter)] >> 5 > LAST_WITHOUT_B for unit in units):
        raise ValueError(f"{path}: has B-frames; encode it again without")
    return units


class Camera:
    """One mount: an endless live stream, shared by all of its clients."""

    def __init__(self, files: list[Path], codec: str, fps: float) -> None:
        self._units = [unit for file in files for unit in access_units(file, codec)]
        self._frame_ns = Gst.SECOND / fps
        rate = Fraction(fps).limit_denominator(1000)
        self.factory = GstRtspServer.RTSPMediaFactory()
        # The parameter sets go out with every keyframe: the session description holds only those
        # of the first file, and a late client needs them too.
        self.factory.set_launch(
            f'( appsrc name=src is-live=true format=time caps="video/x-{codec},'
            f'stream-format=byte-stream,alignment=au,framerate={rate.numerator}/{rate.denominator}" ! '
            f"{codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 )"
        )
        self.factory.set_shared(True)
        # Without a pool the UDP sockets would be bound to every interface.
        pool = GstRtspServer.RTSPAddressPool()
        pool.add_range(HOST, HOST, 20000, 29999, 0)
        self.factory.set_address_pool(pool)
        self.factory.connect("media-configure", self._configure)

    def _configure(self, _: GstRtspServer.RTSPMediaFactory, media: GstRtspServer.RTSPMedia) -> None:
        """Feeds one run of the stream: from the first client's coming to the last one's leaving."""
        units = itertools.cycle(self._units)
        frames = itertools.count()
        gap_ns = 0

        # Called when the sink, which keeps time, has taken the frame before.
        def push(source: Gst.Element, _: int) -> None:
            nonlocal gap_ns
            pts = gap_ns + round(next(frames) * self._frame_ns)
            now = source.get_current_running_time()
            if now != Gst.CLOCK_TIME_NONE and now > pts + Gst.SECOND:
                # A camera that was frozen loses that time; it does not send it all at once.
                gap_ns += now - pts
                pts = now
            buffer = Gst.Buffer.new_wrapped(next(units))
            buffer.pts = buffer.dts = pts
            source.emit("push-buffer", buffer)

        media.get_element().get_by_name("src").connect("need-data", push)


def parse_mount(text: str) -> tuple[str, Camera]:
    """Reads `NAME=FILE[+FILE...][:CODEC[:FPS]]`."""
    name, _, rest = text.partition("=")
    files, codec, fps = [*rest.split(":"), "", ""][:3]
    codec = codec or "h264"
    for element in ("appsrc", f"{codec}parse", f"rtp{codec}pay"):
        if Gst.ElementFactory.find(element) is None:
            sys.exit(f"GStreamer has no element {element}: apt-get install {PACKAGES}")
    return name, Camera([Path(file) for file in files.split("+")], codec, float(fps or 25))


def protect(server: GstRtspServer.RTSPServer, user: str | None, password: str, certificate: str) -> None:
    """Turns basic authentication and TLS on, for every mount that allows `ROLE`."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth = GstRtspServer.RTSPAuth()
    if user:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.set_default_token(token)
    if certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
    server.set_auth(auth)


def main() -> None:
    """Serves until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--mount", required=True, action="append")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--certificate", default="")
    arguments = parser.parse_args()
    Gst.init(None)

    server = GstRtspServer.RTSPServer(address=HOST, service=str(arguments.port))
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role(ROLE)
    permissions.add_permission_for_role(ROLE, "media.factory.access", True)
    permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
    try:
        cameras = [parse_mount(text) for text in arguments.mount]
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    for name, camera in cameras:
        camera.factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", camera.factory)
    if arguments.user or arguments.certificate:
        protect(server, arguments.user, arguments.password, arguments.certificate)
    if not server.attach(None):
        sys.exit(f"cannot listen on {HOST}:{arguments.port}")

    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    # Whoever started the server holds the other end: if that dies, so does the server.
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
