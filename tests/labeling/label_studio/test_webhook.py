"""Webhooks of a real Label Studio: doubled, forged and lost."""

import httpx
import pytest
from pydantic import SecretStr

from labeling.answers import Labeled
from labeling.webhook.verify import SECRET_HEADER
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import asked
from tests.support.servers.labels.label_studio import Annotator, Hooked, Make, frames, push, rectangle

pytestmark = [pytest.mark.label_studio, pytest.mark.timeout(1500)]


def test_webhook_doubled_forged_and_lost(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler, (task,) = make(), frames(store, 1)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    with Hooked() as hooked:
        labeler.want_webhook(hooked.url, SecretStr("of former days"))
        labeler.want_webhook(hooked.url, hooked.secret)  # again: replaces, doubles nothing
        annotation = ann.submit(there["id"], [rectangle((10, 10, 90, 90), "car")])
        assert hooked.wait_for(1)
        changed = {"result": [rectangle((10, 10, 90, 90), "bus")]}
        ann.ask("PATCH", f"/api/annotations/{annotation}/", json=changed)
        assert hooked.wait_for(2)
        for headers in ({}, {SECRET_HEADER: "guess"}, {SECRET_HEADER: ""}):
            forged = httpx.post(hooked.url, json={"action": "X"}, headers=headers)
            assert forged.status_code == 403
        assert hooked.heard == 2
        # Doubled: the answer to a second hint is the same answer.
        first, second = labeler.pull(asked(task.digest)), labeler.pull(asked(task.digest))
        assert len(first) == len(second) == 1
    # Lost: nobody listens any more; the next poll finds the answer all the same.
    ann.ask("PATCH", f"/api/annotations/{annotation}/", json={"result": []})
    (answer,) = labeler.pull(asked(task.digest))
    assert isinstance(answer, Labeled)
    assert len(answer.boxes) == 0
