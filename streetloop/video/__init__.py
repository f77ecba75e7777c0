"""Video in and out: the only adapter of PyAV."""

from streetloop.video.errors import TRANSLATED
from streetloop.video.join import Joined, Part, can_join, has_sound, join
from streetloop.video.packets import BROWSER_CODECS, Encoded, EncodedPacket
from streetloop.video.picture import DecodedPicture
from streetloop.video.reader import VideoInfo, VideoReader, speaks
from streetloop.video.segment import SegmentWriter, video_length_s
from streetloop.video.writer import VideoWriter, write_h264

__all__ = [
    "BROWSER_CODECS",
    "TRANSLATED",
    "DecodedPicture",
    "Encoded",
    "EncodedPacket",
    "Joined",
    "Part",
    "SegmentWriter",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "can_join",
    "has_sound",
    "join",
    "speaks",
    "video_length_s",
    "write_h264",
]
