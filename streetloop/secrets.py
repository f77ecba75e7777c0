"""Keeping passwords out of everything that people or files see."""

import re

_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}://"
_BEGIN = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://")
# A path swallows a slash: rtsp:/user:pw@host is an address that was taken for one.
_ONE_SLASH = r"[a-zA-Z][a-zA-Z0-9+.-]{1,30}:/(?!/)"
# Up to the next one, if one holds another.
_URL = re.compile(rf"(?:{_SCHEME}|{_ONE_SLASH})(?:(?!{_SCHEME})[^\s'\"])*")
_USERINFO = re.compile(r"^(?P<scheme>[^:]*://?)[^/?#]*@")
# The same where the password has an @ and, behind it, a / that was not escaped.
_USERINFO_AND_PATH = re.compile(r"^(?P<scheme>[^:]*://?)[^/?#:@]*:[^?#]*@")
# A password with / ? or # that was not escaped; everything up to the last @ may be of it.
_UNESCAPED = re.compile(r"^(?P<scheme>[^:]*://?)(?:[^/?#:@]*:|[^@#]*#).*@")
_OF_LOGINS = (
    r"(?:user|usr|login|account|pass|pwd|psw|token|auth|key|secret|sig|cred|streamid|jwt|sess|hdn|hmac"
    r"|hash|md5|ticket)[a-z0-9._-]{0,40}|pw|(?<![a-z])(?:sid|pin|tk|st|code|p|u)"
)
# A value ends at & only, but for recorders' paths such as user=a_password=b_channel=1_stream=0.sdp.
_PARAMETER = re.compile(
    rf"(?P<name>{_OF_LOGINS})(?:=.*?(?=&|_(?:user|password|channel|stream)=|$)|(?P<is>%3D).*?(?=&|%26|$))",
    re.IGNORECASE,
)
# What follows such a word in a path, as of /live/token/s3cret/a.m3u8.
_PART = re.compile(
    r"(?P<name>/(?:pass(?:word)?|pwd|(?:access[_-]?)?token|auth|(?:api[_-]?|stream[_-]?)?key|secret|sig(?:nature)?)/)"
    r"[^/?#&]+",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"album|angle|audio|b|box|c|cam|camera|cameraid|ch|chan|channel|channelid|codec|color|"
    r"compression|date|device|deviceid|duration|e|end|every|exp|expires|expiry|ext|f|feed|fmt|"
    r"format|fps|framerate|h|height|id|index|input|interval|keyframe|lang|language|latency|"
    r"layout|live|loop|main|maxfps|mode|n|nocache|number|overlay|page|pkt_size|player|port|"
    r"preset|profile|protocol|proto|q|quality|rate|res|resolution|rotate|rotation|s|scale|seed|"
    r"segment|sensor|server|service|side|site|size|source|speed|sslmode|start|stream|streamtype|"
    r"sub|subtype|t|time|timeout|timestamp|track|transport|transportmode|ts|tz|type|unicast|v|"
    r"variant|vcodec|version|video|videocodec|view|w|width|x|y|zoom",
    re.IGNORECASE,
)
"""Parameters of a query that say what is sent, and not to whom."""

_QUERY = re.compile(r"(?<=\?)[^#]*")
_PAIR = re.compile(r"(?P<name>[^=&]*)(?P<is>=)(?P<value>[^&]+)")
_BARE = re.compile(r"(?:(?<=&)|^)[^=&]{16,}(?=&|$)")
_AT_HTTP = r"^(?P<before>(?:snapshot\+)?https?://[^/?#]*"
# /live/USER/PASSWORD/12.ts, as providers of television write it.
_PATH_PAIR = re.compile(
    rf"{_AT_HTTP}/(?:live|movie|series|timeshift)/)[^/?#]+/[^/?#]+(?P<after>/\d+(?:\.\w+)?(?:[?#]|$))",
    re.IGNORECASE,
)
# The name of a stream is its key where services take one by RTMP.
_STREAM_KEY = re.compile(
    r"^(?P<before>rtmps?://[^/?#]*/)(?:(?P<app>(?:live2|app|rtmp)/)[^?#]+"
    r"|(?P<any>(?:[^/?#]+/)+)(?=[^/?#]*\d)(?=[^/?#]*[a-z])[^/?#]{16,})",
    re.IGNORECASE,
)
# As cameras' own services draw them: one word of letters of both cases and digits.
_RANDOM_WORD = re.compile(
    r"(?<=[^:/]/)(?=[a-zA-Z]*\d)(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])[a-zA-Z0-9]{16,}(?=[/?#]|$)"
)
_NETWORK = ("rtsp", "rtmp", "srt", "http", "snapshot+http")
_OPEN_SCHEMES = ("sim:/", "file:/", "watch:/")
"""Addresses of these schemes have options and no secrets."""

# A login without its scheme, or in front of it, as admin:s3cret@10.0.0.7.
_BARE_LOGIN = re.compile(r"(?<![\w@/.+-])[A-Za-z][\w.+-]{0,60}:(?!/)[^\s'\"/@]{1,100}@(?=[\w\[])")
_MASK = re.compile(r"(?:://|=|%3D|[/?&])\*{3}(?=[@/?&#%]|$)", re.IGNORECASE)


def redact(text: str) -> str:
    """``text`` with the secrets of every URL in it replaced.

    Secrets are user and password before the host, also where they were not escaped, parts of
    the path that are or look like one, and in the query all but what is known to be none.

    >>> redact("cannot open rtsp://admin:s3cret@10.0.0.7/ch1: 401")
    'cannot open rtsp://***@10.0.0.7/ch1: 401'
    >>> redact("rtsp://10.0.0.7/user=admin&password=s3cret&channel=1")
    'rtsp://10.0.0.7/user=***&password=***&channel=1'
    >>> redact("rtsp://10.0.0.7/ch1")
    'rtsp://10.0.0.7/ch1'
    """
    return _URL.sub(lambda found: _redact_url(found[0]), _BARE_LOGIN.sub("***@", text))


def _redact_url(url: str) -> str:
    is_open = url.lower().startswith(_OPEN_SCHEMES)
    if _USERINFO.match(url) or is_open:
        pattern = _USERINFO_AND_PATH if _USERINFO_AND_PATH.match(url) and not is_open else _USERINFO
    else:
        pattern = _UNESCAPED
    shown = pattern.sub(r"\g<scheme>***@", url)
    if is_open:
        return shown
    shown = _PART.sub(r"\g<name>***", _PARAMETER.sub(_masked, shown))
    shown = _QUERY.sub(_masked_query, shown)
    if not shown.lower().startswith(_NETWORK):
        return shown
    shown = _PATH_PAIR.sub(r"\g<before>***/***\g<after>", shown)
    shown = _STREAM_KEY.sub(lambda found: f"{found['before']}{found['app'] or found['any']}***", shown)
    return _RANDOM_WORD.sub("***", shown)


def has_mask(address: str) -> bool:
    """Whether an address was copied from where a secret of it is not shown.

    >>> has_mask("rtsp://***@10.0.0.7/ch1"), has_mask("rtsp://10.0.0.7/ch1")
    (True, False)
    """
    return _MASK.search(address) is not None


def _masked(found: re.Match[str]) -> str:
    return f"{found['name']}{found['is'] or '='}***"


def _masked_query(found: re.Match[str]) -> str:
    shown = _PAIR.sub(lambda pair: pair[0] if _HARMLESS.fullmatch(pair["name"]) else _masked(pair), found[0])
    return _BARE.sub("***", shown)


class SecretUri:
    """A URI that prints without its secrets; `reveal` is for the one who opens it.

    >>> uri = SecretUri("rtsp://admin:s3cret@10.0.0.7:8554/ch1")
    >>> f"{uri}", uri.scheme
    ('rtsp://***@10.0.0.7:8554/ch1', 'rtsp')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The URI as it was given, with its credentials."""
        return self._value

    @property
    def scheme(self) -> str:
        """The part before ``://``, lower case; empty where what stands there is no scheme."""
        found = _BEGIN.match(self._value)
        return "" if found is None else found["scheme"].lower()

    def __str__(self) -> str:
        return redact(self._value)

    def __repr__(self) -> str:
        return f"SecretUri({redact(self._value)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretUri) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
