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
from streetloop.storage.minio import LINK_LIFETIME, MinioStore, S3Access
from tests.support.frames import NOON, review
from tests.support.label_service import ControlService


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ControlService]:
    house = ControlService(tmp_path / "home")
    yield house
    house.ledger.close()


# Drift


def test_cameras_drift_where_labels_help(house: ControlService) -> None:
    house.finding("dark", ["night", "fog"], True)
    house.finding("knocked", ["camera moved"], False)
    house.finding("was dark", ["night"], True)
    close_findings(house.ledger, "was dark", NOON)
    assert drifting(house.ledger) == {"dark": Drift("night", NOON)}


# Who labels


def _open(house: ControlService, **settings: object) -> Labeler | None:
    chosen = house.settings.model_copy(update=settings)
    return open_labeler(chosen, ["car"], house.store, house.queue, house.clock)


def test_nobody_labels_unless_it_is_set(house: ControlService) -> None:
    assert _open(house) is None
    assert isinstance(_open(house, labeler="oracle"), OracleLabeler)


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
    house: ControlService, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        _open(house, labeler="label-studio", **settings)
    assert "hunter2" not in str(raised.value)


def test_the_errors_of_the_oracle_are_as_many_as_set_in_all(house: ControlService) -> None:
    flawed = _open(house, labeler="oracle", oracle_errors=0.3, oracle_delay_s=60.0)
    assert isinstance(flawed, OracleLabeler)
    assert flawed._flaws.missed + flawed._flaws.wrong_class == pytest.approx(0.2)
    assert flawed._flaws.delay_s == 60.0


STUDIO = {
    "labeler": "label-studio",
    "label_studio_url": "http://127.0.0.1:1",
    "label_studio_token": SecretStr("0" * 40),
}


def test_images_in_minio_come_by_presigned_address_and_others_are_uploaded(house: ControlService) -> None:
    labeler = _open(house, **STUDIO)
    assert isinstance(labeler, LabelStudio)
    assert labeler._images == UPLOADED
    access = S3Access("http://127.0.0.1:9", SecretStr("somebody"), SecretStr("hunter2"))
    bucket = MinioStore("streets", "", access)
    settings = house.settings.model_copy(update=STUDIO)
    labeler = open_labeler(settings, ["car"], bucket, house.queue)
    assert isinstance(labeler, LabelStudio)
    assert isinstance(labeler._images, ByUrl)
    assert labeler._images.lasts == LINK_LIFETIME
    assert labeler._images.url("a.jpg").startswith("http://127.0.0.1:9/streets/a.jpg?X-Amz-")


# By hand


def test_pushing_says_how_many_were_handed_over(house: ControlService) -> None:
    house.queue.add([review(k) for k in range(3)])
    house.queue.choose(10)
    assert push(house.queue, house.desk) == 3
    assert push(house.queue, house.desk) == 0
