"""Who labels, which cameras drift, and frames handed over by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from labeling.label_studio.adapter import LabelStudio
from labeling.label_studio.image_links import UPLOADED, ByUrl
from labeling.labeler import Labeler
from labeling.open_labeler import drifting, open_labeler, push
from labeling.oracle_labeler import OracleLabeler
from labeling.selection import Drift
from streetloop.errors import ConfigError
from streetloop.ledger.findings import close_findings
from streetloop.storage.minio import MinioStore
from streetloop.storage.s3_access import LINK_LIFETIME, S3Access
from tests.support.samples.frames import NOON, review
from tests.support.servers.labels.label_service import LabelSetup


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[LabelSetup]:
    setup = LabelSetup(tmp_path / "home")
    yield setup
    setup.ledger.close()


# Drift


def test_cameras_drift_where_labels_help(setup: LabelSetup) -> None:
    setup.finding("dark", ["night", "fog"], True)
    setup.finding("knocked", ["camera moved"], False)
    setup.finding("was dark", ["night"], True)
    close_findings(setup.ledger, "was dark", NOON)
    assert drifting(setup.ledger) == {"dark": Drift("night", NOON)}


# Who labels


def _open(setup: LabelSetup, **settings: object) -> Labeler | None:
    chosen = setup.settings.model_copy(update=settings)
    return open_labeler(chosen, setup.store, setup.queue, setup.clock)


def test_nobody_labels_unless_it_is_set(setup: LabelSetup) -> None:
    assert _open(setup) is None
    assert isinstance(_open(setup, labeler="oracle"), OracleLabeler)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "no Label Studio is known: start one with `streetloop labelstudio up`"),
        ({"label_studio_url": "http://127.0.0.1:1"}, "set STREETLOOP_LABEL_STUDIO_TOKEN, too"),
        ({"label_studio_token": SecretStr("0" * 40)}, "set STREETLOOP_LABEL_STUDIO_URL, too"),
        (
            {"label_studio_url": "http://127.0.0.1:1", "label_studio_token": SecretStr("hunter2")},
            "neither a personal access token nor 40 hex digits",
        ),
    ],
)
def test_a_label_studio_that_is_not_known_is_a_clear_sentence(
    setup: LabelSetup, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        _open(setup, labeler="label-studio", **settings)
    assert "hunter2" not in str(raised.value)


def test_the_errors_of_the_oracle_are_as_many_as_set_in_all(setup: LabelSetup) -> None:
    flawed = _open(setup, labeler="oracle", oracle_errors=0.3, oracle_delay_s=60.0)
    assert isinstance(flawed, OracleLabeler)
    assert flawed._flaws.missed + flawed._flaws.wrong_class == pytest.approx(0.2)
    assert flawed._flaws.delay_s == 60.0


STUDIO = {
    "labeler": "label-studio",
    "label_studio_url": "http://127.0.0.1:1",
    "label_studio_token": SecretStr("0" * 40),
}


def test_images_in_minio_come_by_presigned_address_and_others_are_uploaded(setup: LabelSetup) -> None:
    labeler = _open(setup, **STUDIO)
    assert isinstance(labeler, LabelStudio)
    assert labeler._images == UPLOADED
    access = S3Access("http://127.0.0.1:9", SecretStr("somebody"), SecretStr("hunter2"))
    bucket = MinioStore("streets", "", access)
    settings = setup.settings.model_copy(update=STUDIO)
    labeler = open_labeler(settings, bucket, setup.queue)
    assert isinstance(labeler, LabelStudio)
    assert isinstance(labeler._images, ByUrl)
    assert labeler._images.lasts == LINK_LIFETIME
    assert labeler._images.url("a.jpg").startswith("http://127.0.0.1:9/streets/a.jpg?X-Amz-")


# By hand


def test_pushing_says_how_many_were_handed_over(setup: LabelSetup) -> None:
    setup.queue.add([review(k) for k in range(3)])
    setup.queue.choose(10)
    assert push(setup.queue, setup.people) == 3
    assert push(setup.queue, setup.people) == 0
