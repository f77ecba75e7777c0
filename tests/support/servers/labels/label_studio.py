"""A real Label Studio for tests, and people in front of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import psutil
import pytest
from pydantic import SecretStr

from labeling.appearance import EMBEDDING
from labeling.label_studio.adapter import LabelStudio
from labeling.local_server.server import Access, LocalServer
from labeling.webhook.listener import HookListener
from streetloop.boxes import to_boxes
from streetloop.errors import StreetloopError
from streetloop.images import encode_jpeg
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from tests.support.servers.labels.label_studio_install import CACHE, installation
from tests.support.servers.ports import free_port

Make = Callable[..., LabelStudio]
"""Makes a labeler of the test's project, of the usual parts or others."""

CLASSES = ["car", "bus", "person"]
WIDTH, HEIGHT = 640, 360


@dataclass
class Studio:
    """A running Label Studio.

    Attributes:
        server: Its process.
        access: How to reach it.
        documents: The folder whose files it may serve.
    """

    server: LocalServer
    access: Access
    documents: Path

    def kill(self) -> None:
        """Kill it at once."""
        number = self.server.process_id
        assert number is not None
        process = psutil.Process(number)
        process.send_signal(signal.SIGKILL)
        process.wait(60)

    def start(self) -> None:
        """Start it again, on the same port and data."""
        assert self.server.up() == self.access

    def owner(self) -> Annotator:
        """The first user."""
        return Annotator(self.access.url, self.access.user, self.access.password.get_secret_value())

    def join(self, email: str, password: str = "correct horse 7") -> Annotator:
        """Another user, who came by the invitation."""
        with self.owner() as owner:
            invitation = owner.http.get("/api/invite").json()["invite_url"]
        with httpx.Client(base_url=self.access.url, timeout=30) as http:
            http.get("/user/login/")
            form = {"email": email, "password": password, "allow_newsletters": "false"}
            form["csrfmiddlewaretoken"] = http.cookies["csrftoken"]
            answer = http.post(invitation, data=form, headers={"Referer": self.access.url})
            assert answer.status_code in {200, 302}
        return Annotator(self.access.url, email, password)


class Annotator:
    """Somebody who logged in; speaks HTTP as the browser would.

    Attributes:
        http: The session.
    """

    def __init__(self, url: str, email: str, password: str) -> None:
        self.email = email
        self.http = httpx.Client(base_url=url, timeout=30)
        self.http.get("/user/login/")
        form = {"email": email, "password": password}
        form["csrfmiddlewaretoken"] = self.http.cookies["csrftoken"]
        answer = self.http.post("/user/login/", data=form, headers={"Referer": url})
        assert answer.status_code == 302, "the login was refused"
        self.http.headers["X-CSRFToken"] = self.http.cookies["csrftoken"]
        self.http.headers["Referer"] = url

    def __enter__(self) -> Annotator:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **how: Any) -> Any:
        """One request; what it answered."""
        answer = self.http.request(method, path, **how)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def personal_token(self) -> str:
        """A new personal access token."""
        return str(self.ask("POST", "/api/token/")["token"])

    def project(self, title: str) -> Any:
        """The project of that title."""
        listed = self.ask("GET", "/api/projects/", params={"title": title, "page_size": 100})
        (found,) = [project for project in listed["results"] if project["title"] == title]
        return found

    def tasks(self, title: str) -> list[Any]:
        """All tasks of a project, with predictions and annotations, by rising id."""
        params = {"project": self.project(title)["id"], "page_size": 1000, "fields": "all"}
        tasks = self.ask("GET", "/api/tasks/", params=params)["tasks"]
        return sorted(tasks, key=lambda task: task["id"])

    def submit(self, task: int, results: Sequence[Any], skip: bool = False) -> int:
        """Send an annotation; its id."""
        body = {"result": list(results), "lead_time": 3.5, "was_cancelled": skip}
        return int(self.ask("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])


def rectangle(xyxy: Sequence[float], name: str, **more: Any) -> dict[str, Any]:
    """A box as the browser sends it."""
    left, top, right, bottom = xyxy
    value = {
        "x": left / WIDTH * 100,
        "y": top / HEIGHT * 100,
        "width": (right - left) / WIDTH * 100,
        "height": (bottom - top) / HEIGHT * 100,
        "rotation": 0,
        "rectanglelabels": [name],
    }
    return {
        "id": f"r{left:.0f}-{top:.0f}",
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "origin": "manual",
        "value": value | more,
    }


def start(home: Path) -> Iterator[Studio]:
    """A Label Studio with an empty database of its own; skips where none can be had, but in CI."""
    try:
        venv = installation.wait()
        for name in ("data", "access.json"):
            source, target = CACHE / "labelstudio" / name, home / "labelstudio" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
        documents = home / "documents"
        (documents / "store").mkdir(parents=True)
        server = LocalServer(home, free_port(), venv, documents)
        access = server.up()
    except StreetloopError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    try:
        yield Studio(server, access, documents)
    finally:
        server.down()


def frames(store: ObjectStore, count: int, seed: int = 0, version: str = "m-1") -> list[FrameRecord]:
    """Small pictures in the store, each with two boxes of a model and a digest of its own."""
    random = np.random.default_rng(seed)
    tasks = []
    for index in range(count):
        left, top = random.uniform(10, 300, 2).round(1)
        xyxy = np.array([[left, top / 2, left + 90, top / 2 + 60], [400, 200, 470.5, 333]])
        pixels = np.full((HEIGHT, WIDTH, 3), 60 + index % 120, np.uint8)
        for box in xyxy.astype(int).tolist():
            cv2.rectangle(pixels, box[:2], box[2:], (0, 200, 255), -1)
        cv2.putText(pixels, f"{seed}/{index}", (10, 40), 0, 1, (255, 255, 255), 2)
        jpeg = encode_jpeg(pixels)
        digest = hashlib.sha256(jpeg).hexdigest()
        key = f"frames/{digest[:2]}/{digest}.jpg"
        store.put(key, jpeg)
        tasks.append(
            FrameRecord(
                digest=digest,
                image_key=key,
                width=WIDTH,
                height=HEIGHT,
                camera_id="old-oak",
                captured_at=datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=index),
                reason=SelectionReason.UNSURE,
                score=0.8,
                model_version=version,
                boxes=to_boxes(
                    Detections(
                        xyxy.astype(np.float32), np.array([0.5, 0.3], np.float32), np.array([0, 2], np.int64)
                    )
                ),
                classes=tuple(CLASSES),
                fingerprint=np.full(4, index, np.uint64) * 0x0123456789ABCDEF,
                embedding=np.zeros(EMBEDDING, np.float32),
                drift="fog",
            )
        )
    return tasks


def push(labeler: LabelStudio, tasks: list[FrameRecord]) -> list[str]:
    """Hand frames over; which were told."""
    told: list[str] = []
    labeler.push(tasks, told.append)
    return told


class Hooked:
    """Listens for webhooks and counts those that are genuine."""

    def __init__(self) -> None:
        self.secret = SecretStr("open sesame")
        self.heard = 0
        self._changed = threading.Condition()
        self._listener = HookListener("127.0.0.1", 0, self.secret, self._hear)
        self.url = f"http://127.0.0.1:{self._listener.port}/hook"

    def __enter__(self) -> Hooked:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def wait_for(self, count: int) -> bool:
        """Wait until so many have come; False if they do not, or more do."""
        with self._changed:
            return self._changed.wait_for(lambda: self.heard == count, timeout=10)

    def _hear(self) -> None:
        with self._changed:
            self.heard += 1
            self._changed.notify_all()
