"""Somebody in front of Label Studio who knows what is really in the simulated pictures."""

import threading
from typing import Any

from labeling.label_studio.config import RectangleControl
from labeling.label_studio.payload import digest_of
from labeling.label_studio.rectangles import to_results
from streetloop.city.oracle import Oracle
from streetloop.city.render.shapes import CLASSES
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import find_reviews
from tests.support.servers.labels.label_studio import Annotator, Studio

_LOOK_S = 0.5
_LABELS = RectangleControl("label", "image", {name: name for name in CLASSES})


class Diligent:
    """Answers every task of a project as it comes, with the truth.

    Attributes:
        answered: Digests of the frames, in the order of the answers.
    """

    def __init__(self, studio: Studio, title: str, ledger: Ledger) -> None:
        self.answered: list[str] = []
        self.trouble: list[Exception] = []
        self._studio, self._title, self._ledger = studio, title, ledger
        self._oracle = Oracle()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Diligent":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _work(self) -> None:
        with self._studio.owner() as owner:
            while not self._stop.wait(_LOOK_S):
                try:
                    self._round(owner)
                except Exception as error:  # noqa: BLE001
                    # The boundary of the thread: the test says what went wrong.
                    self.trouble.append(error)
                    return

    def _round(self, owner: Annotator) -> None:
        listed = owner.ask("GET", "/api/projects/", params={"page_size": 100})["results"]
        if not any(project["title"] == self._title for project in listed):
            return
        for task in owner.tasks(self._title):
            if task["total_annotations"] == 0:
                self._answer(owner, task)

    def _answer(self, owner: Annotator, task: dict[str, Any]) -> None:
        digest = digest_of(task)
        assert digest is not None
        (review,) = find_reviews(self._ledger, [digest])
        truth = self._oracle.truth(str(review.origin["uri"]), int(review.origin["frame"]))
        results = to_results(truth.detections(), CLASSES, _LABELS, review.width, review.height, "b")
        owner.submit(task["id"], results)
        self.answered.append(digest)
