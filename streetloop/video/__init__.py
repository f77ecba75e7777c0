"""Video in and out: the only adapter of PyAV."""

from streetloop.video.errors import TRANSLATED
from streetloop.video.picture import DecodedPicture
from streetloop.video.reader import VideoInfo, VideoReader, speaks
from streetloop.video.writer import VideoWriter

__all__ = ["TRANSLATED", "DecodedPicture", "VideoInfo", "VideoReader", "VideoWriter", "speaks"]
