"""What PyAV raises, as errors of ours."""

import errno

import av.error

from streetloop.errors import SourceError, SourceRefused, SourceStalled, SourceUnavailable, SourceUnreadable
from streetloop.secrets import redact

OPENING = "cannot be opened"
_HTTP = ("http://", "https://")
TRANSLATED: dict[type[Exception], type[SourceError]] = {
    av.error.HTTPUnauthorizedError: SourceRefused,
    av.error.HTTPForbiddenError: SourceRefused,
    av.error.EOFError: SourceUnreadable,  # the file ends within its header
    av.error.InvalidDataError: SourceUnreadable,
    av.error.DemuxerNotFoundError: SourceUnreadable,
    av.error.DecoderNotFoundError: SourceUnreadable,
    av.error.PatchWelcomeError: SourceUnreadable,
    av.error.IsADirectoryError: SourceUnreadable,
    av.error.ExitError: SourceStalled,  # PyAV's own time-out
    av.error.TimeoutError: SourceStalled,  # the protocol's
    av.error.FFmpegError: SourceUnavailable,
    OSError: SourceUnavailable,
}
"""What PyAV raises while it reads, and what that becomes; the nearest base class counts."""


def source_error(error: Exception, name: str, doing: str, *, live: bool) -> SourceError:
    """The vendor's exception as ours; its text is redacted, for it may repeat the URL.

    Args:
        error: What PyAV raised.
        name: Stands for the URL in the message.
        doing: What failed, such as "broke off".
        live: True for a network stream; the silence of one that is not HTTP FFmpeg may report as
            bad data.
    """
    if live and isinstance(error, av.error.InvalidDataError) and not name.startswith(_HTTP):
        return SourceStalled(f"{name} {doing}: it does not answer")
    if live and isinstance(error, av.error.EOFError):
        return SourceUnavailable(f"{name} {doing}: it hung up")
    if live and doing == OPENING and getattr(error, "errno", None) == errno.EIO:
        return SourceUnavailable(f"{name} {doing}: no host of that name is known, or it broke off")
    reason = redact(getattr(error, "strerror", None) or str(error))
    kind = next(TRANSLATED[base] for base in type(error).__mro__ if base in TRANSLATED)
    sentences = {
        SourceRefused: f"{name} {doing}: wrong user or password ({reason})",
        SourceUnreadable: f"{name} is not a readable video, or is cut short ({reason})",
        SourceStalled: f"{name} {doing}: no data within the time-out",
        SourceUnavailable: f"{name} {doing}: {reason}",
    }
    return kind(sentences[kind])
