"""Three ways in which an annotator's browser gets a picture."""

import uuid
from datetime import timedelta

import httpx
import pytest

from labeling.label_studio.image_links import UPLOADED, ByUrl, LocalFiles
from streetloop.storage.minio import MinioStore
from streetloop.storage.s3_access import LINK_LIFETIME
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import asked
from tests.support.servers.gateway import Gateway
from tests.support.servers.labels.label_studio import Annotator, Make, Studio, frames, push, rectangle

pytestmark = [pytest.mark.label_studio, pytest.mark.timeout(1500)]


def test_images_from_local_files(make: Make, ann: Annotator, studio: Studio, title: str) -> None:
    folder = studio.documents / "store"
    store = FolderStore(folder)
    tasks = frames(store, 2)
    labeler = make(store=store, images=LocalFiles(studio.documents, folder))
    push(labeler, tasks[:1])
    push(labeler, tasks)
    there = ann.tasks(title)
    assert len(there) == 2
    assert there[0]["data"]["image"].startswith("/data/local-files/?d=store/frames/")
    assert ann.http.get(there[0]["data"]["image"]).content == store.get(tasks[0].image_key)


def test_images_by_url(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler = make(images=ByUrl(lambda key: f"http://minio.example/{key}?sig=1"))
    (task,) = frames(store, 1)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    assert there["data"]["image"] == f"http://minio.example/{task.image_key}?sig=1"


# MinIO


@pytest.fixture
def bucket(gateway: Gateway) -> MinioStore:
    return MinioStore(f"b{uuid.uuid4().hex[:20]}", "", gateway.access)


@pytest.mark.minio
def test_images_presigned_in_minio_load_without_credentials(
    make: Make, ann: Annotator, bucket: MinioStore, title: str
) -> None:
    labeler = make(store=bucket, images=ByUrl(bucket.link, LINK_LIFETIME))
    tasks = frames(bucket, 2)
    push(labeler, tasks)
    for task, there in zip(tasks, ann.tasks(title), strict=True):
        origin = str(ann.http.base_url).rstrip("/")
        picture = httpx.get(there["data"]["image"], headers={"Origin": origin})
        assert picture.content == bucket.get(task.image_key)
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["access-control-allow-origin"] in {"*", origin}


@pytest.mark.minio
def test_an_address_that_ends_soon_is_renewed_and_no_other(
    make: Make, ann: Annotator, bucket: MinioStore, title: str
) -> None:
    tasks = frames(bucket, 3)
    push(make(store=bucket, images=ByUrl(lambda _: "http://x/old", timedelta(days=1))), tasks[:2])
    labeler = make(store=bucket, images=ByUrl(bucket.link, LINK_LIFETIME))
    push(labeler, tasks)
    before = ann.tasks(title)
    ann.submit(before[0]["id"], [rectangle((10, 10, 90, 90), "car")])
    assert labeler.renew(lambda: tasks[1:]) == 1, "one has been answered, one is fresh"
    assert labeler.renew(lambda: tasks[1:]) == 0
    after = ann.tasks(title)
    assert [t["data"]["image"] for t in after[::2]] == [t["data"]["image"] for t in before[::2]]
    assert httpx.get(after[1]["data"]["image"]).content == bucket.get(tasks[1].image_key)
    assert after[1]["predictions"][0]["result"] == before[1]["predictions"][0]["result"]
    assert {k: v for k, v in after[1]["data"].items() if not k.startswith("image")} == {
        k: v for k, v in before[1]["data"].items() if not k.startswith("image")
    }
    assert len(labeler.pull(asked(*(task.digest for task in tasks)))) == 1


def test_addresses_that_last_are_never_renewed(make: Make, store: FolderStore, title: str) -> None:
    tasks = frames(store, 1)
    for images in (UPLOADED, ByUrl(lambda key: f"http://pictures.example/{key}")):
        labeler = make(images=images)
        push(labeler, tasks)
        assert labeler.renew(lambda: tasks) == 0
