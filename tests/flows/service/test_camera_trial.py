"""A camera is tried before it is saved."""

import base64

from serve.web.app.render import render
from streetloop.images import decode_image
from tests.support.control_service import PASSWORD, Content, api_of, problem_of


def test_what_opens_shows_its_first_picture_and_is_not_saved(empty: Content) -> None:
    client = api_of(empty)
    wanted = {"id": "new", "uri": "sim://kingsport/crossing?seed=1&size=320x180&fps=5"}
    found = client.post("/cameras/try", json=wanted).json()
    assert found["opens"] is True
    assert "320x180" in found["text"]
    assert decode_image(base64.b64decode(found["jpeg"])).shape == (180, 320, 3)
    assert "new" not in {one["id"] for one in client.get("/cameras").json()["items"]}


def test_what_does_not_open_says_why_without_a_password(empty: Content) -> None:
    client = api_of(empty)
    wanted = {"id": "new", "uri": f"rtsp://u:{PASSWORD}@127.0.0.1:1/x"}
    answer = client.post("/cameras/try", json=wanted)
    assert answer.json()["opens"] is False
    assert answer.json()["jpeg"] is None
    assert PASSWORD not in answer.text
    problem_of(client.post("/cameras/try", json={"id": "new", "uri": "nothing"}), 422)
    page = render("camera_trial", found=empty.service.try_camera(wanted))
    assert "does not open" in page
    assert PASSWORD not in page
