import copy
import pickle
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.secrets import SecretUri, has_mask, redact

URI = "rtsp://admin:hunter2@10.0.0.7:8554/ch1"
SHOWN = "rtsp://***@10.0.0.7:8554/ch1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot open rtsp://u:p@h/x: 401", "cannot open rtsp://***@h/x: 401"),
        ("rtsp://u:p@h1/x and http://v:q@h2/y", "rtsp://***@h1/x and http://***@h2/y"),
        ("rtsp://u:p@h1,rtsp://v:q@h2", "rtsp://***@h1,rtsp://***@h2"),
        ("rtsp://h1/x, then rtsp://v:q@h2", "rtsp://h1/x, then rtsp://***@h2"),
        ("opening 'rtsp://u:p@h/x'", "opening 'rtsp://***@h/x'"),
        ("rtsp://u:p@ss@w@h/x", "rtsp://***@h/x"),
        ("rtsp://u:p%40%2F%3A@h/x", "rtsp://***@h/x"),
        ("rtsp://u:p@h?x=a@b", "rtsp://***@h?x=a@b"),
        ("rtsp://u:p\\w@h", "rtsp://***@h"),
        ("rtsp://user@h/x", "rtsp://***@h/x"),
        ("RTSP://U:P@H", "RTSP://***@H"),
        ("rtsp+tls://u:p@h", "rtsp+tls://***@h"),
        ("rtsp://u:p@[fe80::1]:554/x", "rtsp://***@[fe80::1]:554/x"),
        ("http://h/?next=rtsp://u:p@h2/x", "http://h/?next=rtsp://***@h2/x"),
        ("rtsp://u:p<w@h/x", "rtsp://***@h/x"),
        ("rtsp://u:p>w@h/x", "rtsp://***@h/x"),
        ("rtsp:/admin:hunter2@h/x: cannot be read", "rtsp:/***@h/x: cannot be read"),
        ("admin:hunter2@http://10.0.0.7/ is none", "***@http://10.0.0.7/ is none"),
        ("admin:hunter2@10.0.0.7/ch1: no such file", "***@10.0.0.7/ch1: no such file"),
        ("postgresql:admin:hunter2@h/x, a variable", "***@h/x, a variable"),
    ],
)
def test_user_and_password_are_replaced_wherever_a_url_stands(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no URL at all",
        "write to someone@example.org",
        "rtsp://10.0.0.7/ch1",
        "file:///clips/a@b.mp4",
        "rtsp://h/a@b",
        "sim://kingsport/crossing?event=fog@60:30,camera-outage@90:5&seed=7",
        "file:///clips/password=1.mp4?loop=1",
        "not made: /tmp/a@b:/tmp/c@d",
        "a40@2026-03-02T00:00/2026-03-02T01:00 and b@2026-03-02T00:00",
        "error: someone@example.org, at 12:30@home",
        "http://h/axis-cgi/mjpg/video.cgi?resolution=640x480&fps=5&compression=30&camera=1",
        "rtsp://h/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif",
        "rtsp://h:554/Streaming/Channels/101?transportmode=unicast&profile=Profile_1",
        "rtsp://h/h264Preview_01_main",
        "rtsps://nvr:7441/camera-at-the-main-street-12?enableSrtp",
        "rtmp://h/live/crossing-north",
        "http://h/live/crossing/index.m3u8",
        "snapshot+https://h/image.jpg?every=2&size=hd",
        SHOWN,
    ],
)
def test_text_without_credentials_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:hun#ter2@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://admin:hun/ter2@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://admin:hun?ter2@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://:#hunter2@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://ad#min:hunter2@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("http://h/x.m3u8?user=admin&password=hunter2", "http://h/x.m3u8?user=***&password=***"),
        (
            "rtsp://h/user=admin&password=hunter2&channel=1&s=0",
            "rtsp://h/user=***&password=***&channel=1&s=0",
        ),
        (
            "rtsp://h/user=admin_password=hunter2_channel=1_stream=0.sdp",
            "rtsp://h/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("http://h/cgi?loginuse=admin&loginpas=hunter2", "http://h/cgi?loginuse=***&loginpas=***"),
        ("http://h/a?usr=admin&pwd=hun/ter2&c=1", "http://h/a?usr=***&pwd=***&c=1"),
        ("https://h/live.m3u8?token=hunter2", "https://h/live.m3u8?token=***"),
        ("https://h/x?AUTH=hunter2", "https://h/x?AUTH=***"),
        ("https://h/x?X-Amz-Signature=hunter2&n=1", "https://h/x?X-Amz-Signature=***&n=1"),
        ("https://h/x?access_token=hunter2&api_key=hunter2", "https://h/x?access_token=***&api_key=***"),
        ("rtmp://h/live/cam?key=hunter2", "rtmp://h/live/cam?key=***"),
        ("srt://h:9000?passphrase=hunter2&latency=200", "srt://h:9000?passphrase=***&latency=200"),
        ("rtsp://u:hunter2@h/x?token=hunter2", "rtsp://***@h/x?token=***"),
        ("srt://h:9000?streamid=read:cam:hunter2&latency=9", "srt://h:9000?streamid=***&latency=9"),
        ("https://h/x?jwt=hunter2&sid=hunter2", "https://h/x?jwt=***&sid=***"),
        ("https://h/x?session=hunter2&PHPSESSID=hunter2", "https://h/x?session=***&PHPSESSID=***"),
        ("https://h/x?hdnts=exp=1~hmac=hunter2&side=left", "https://h/x?hdnts=***&side=left"),
        ("https://h/x?token=AbC_dEf=", "https://h/x?token=***"),
        ("http://h/video?u=admin&p=hunter2&page=2", "http://h/video?u=***&p=***&page=2"),
        ("http://h/video?pw=hunter2&PIN=hunter2", "http://h/video?pw=***&PIN=***"),
        ("http://h/x?token_v2=hunter2&session-id=hunter2", "http://h/x?token_v2=***&session-id=***"),
        ("https://h/x.ts?md5=hunter2&hash=hunter2&e=9", "https://h/x.ts?md5=***&hash=***&e=9"),
        ("rtsp://admin:hun@te/r2@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("https://h/x?hmac=hunter2&n=1", "https://h/x?hmac=***&n=1"),
        ("http://h/snap?channel=1&code=hunter2", "http://h/snap?channel=1&code=***"),
        ("https://h/x.m3u8?st=hunter2&e=1764540000", "https://h/x.m3u8?st=***&e=1764540000"),
        ("http://h/x?cred=hunter2&tk=hunter2", "http://h/x?cred=***&tk=***"),
        ("rtsp://h/adminpw=hunter2&channel=1", "rtsp://h/adminpw=***&channel=1"),
        ("http://h/x?camerapw=hunter2&account=admin", "http://h/x?camerapw=***&account=***"),
        ("https://h/x?anything=hunter2&width=640", "https://h/x?anything=***&width=640"),
        ("https://h/x?hunter2hunter2hunter2", "https://h/x?***"),
        ("rtsp://h/user%3Dadmin%26password%3Dhunter2", "rtsp://h/user%3D***%26password%3D***"),
        ("http://h/x?q=user%3Dadmin%26pwd%3Dhunter2", "http://h/x?q=user%3D***%26pwd%3D***"),
        ("http://h/x?back=rtsp%3A%2F%2Fa%3Ahunter2%40h", "http://h/x?back=***"),
        ("http://tv:8080/live/admin/hunter2/12.ts", "http://tv:8080/live/***/***/12.ts"),
        ("https://tv/movie/admin/hunter2/9.mkv?t=1", "https://tv/movie/***/***/9.mkv?t=1"),
        ("rtmp://a.rtmp.youtube.com/live2/hunter2", "rtmp://a.rtmp.youtube.com/live2/***"),
        ("rtmps://h:443/app/live_12_hunter2", "rtmps://h:443/app/***"),
        ("rtmp://h/live/hunter2-abcd-efgh-1234", "rtmp://h/live/***"),
        ("rtsps://nvr:7441/aHunter2aHunter2?enableSrtp", "rtsps://nvr:7441/***?enableSrtp"),
    ],
)
def test_secrets_that_stand_elsewhere_than_they_ought_to_are_hidden(url: str, shown: str) -> None:
    assert redact(url) == str(SecretUri(url)) == shown
    assert redact(f"{url} broke off") == f"{shown} broke off"
    assert redact(f"'{url}': 401") == f"'{shown}': 401"


@given(user=st.text(max_size=10), password=st.text(max_size=20))
def test_any_user_and_password_that_are_escaped_as_a_url_wants_are_hidden(user: str, password: str) -> None:
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    assert redact(f"rtsp://{login}@10.0.0.7/ch1: 401") == "rtsp://***@10.0.0.7/ch1: 401"


@given(text=st.text())
def test_what_is_redacted_once_does_not_change_again(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "printed",
    [
        str(SecretUri(URI)),
        f"{SecretUri(URI)}",
        "{}".format(SecretUri(URI)),  # noqa: UP032
        "%s" % SecretUri(URI),  # noqa: UP031
        repr(SecretUri(URI)),
        f"{[SecretUri(URI)]}",
        f"{ ({'uri': SecretUri(URI)}) }",
    ],
)
def test_a_secret_uri_prints_without_its_credentials(printed: str) -> None:
    assert SHOWN in printed
    assert "hunter2" not in printed
    assert "admin" not in printed


def test_a_secret_uri_is_revealed_as_it_was_given() -> None:
    assert SecretUri(URI).reveal() == URI


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        (URI, "rtsp"),
        ("RTSP://10.0.0.7/ch1", "rtsp"),
        ("file:///a.mp4", "file"),
        ("/a.mp4", ""),
        ("", ""),
        ("admin:hunter2@http://10.0.0.7/", ""),
        ("rtsp:admin:hunter2@h/?next=http://x", ""),
    ],
)
def test_the_scheme_is_lower_case(uri: str, scheme: str) -> None:
    assert SecretUri(uri).scheme == scheme


def test_a_secret_uri_survives_the_way_to_another_process() -> None:
    arrived = pickle.loads(pickle.dumps(SecretUri(URI)))
    assert arrived == SecretUri(URI)
    assert arrived.reveal() == URI
    assert copy.deepcopy(arrived) == arrived


def test_secret_uris_are_equal_when_their_credentials_are_too() -> None:
    same, other = SecretUri(URI), SecretUri(URI.replace("hunter2", "hunter3"))
    assert same == SecretUri(URI)
    assert same != other
    assert same != URI
    assert {same, SecretUri(URI), other} == {same, other}


@pytest.mark.parametrize(
    "path",
    ["/live/token/s3cret/a.m3u8", "/Stream_Key/s3cret", "/access-token/s3cret?x=1", "/api_key/s3cret/x"],
)
def test_a_part_of_a_path_that_follows_the_name_of_a_secret_is_masked(path: str) -> None:
    shown = redact(f"cannot open https://host{path}")
    assert "s3cret" not in shown
    assert shown.startswith("cannot open https://host/")
    assert redact("https://host/live/keys/cam1/key") == "https://host/live/keys/cam1/key"


@pytest.mark.parametrize(
    "address",
    [URI, "http://h/x?anything=a", "http://h/live/a/b/1.ts", "http://h/x?a=1&hunter2hunter2hunter2"],
)
def test_an_address_that_was_copied_from_where_it_is_masked_is_known(address: str) -> None:
    assert has_mask(redact(address))
    assert not has_mask(address)
