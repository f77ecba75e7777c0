from pathlib import Path

import pytest
from pydantic import ValidationError

from streetloop.errors import ConfigError
from streetloop.setting_types import BandSetting
from streetloop.settings import Settings, misspelled, read_settings


def test_the_defaults_are_valid_and_leave_the_api_without_a_token() -> None:
    settings = Settings()
    assert settings.threads >= 1
    assert settings.api_token is None


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_HOME", "/srv/streets")
    monkeypatch.setenv("STREETLOOP_IMAGE_SIZE", "320")
    monkeypatch.setenv("STREETLOOP_GATE", "false")
    settings = Settings()
    assert settings.home == Path("/srv/streets")
    assert settings.image_size == 320
    assert settings.gate is False


def test_what_is_handed_in_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_IMAGE_SIZE", "320")
    assert Settings(image_size=960).image_size == 960


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_SIZE", "320")
    monkeypatch.setenv("STREETLOOP_NO_SUCH_SETTING", "1")
    assert Settings().image_size == 640


def test_store_and_models_stand_under_the_home() -> None:
    settings = Settings(home=Path("/srv/streets"))
    assert settings.store.parent == settings.models.parent == Path("/srv/streets")
    assert settings.store != settings.models


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("backend", "tensorflow"),
        ("image_size", 0),
        ("image_size", 100),  # not a multiple of 32
        ("image_size", 4128),
        ("confidence", 0),
        ("confidence", 1.01),
        ("track_floor", 0),
        ("staleness_s", 0),
        ("staleness_s", 61),
        ("stall_s", 0.4),
        ("max_batch", 0),
        ("max_batch", 257),
        ("gate", "perhaps"),
        ("keyframe_s", 0),
        ("cameras_per_worker", 0),
        ("threads", 0),
        ("detector_timeout_s", 0),
        ("log_flush_s", -1),
        ("drift", "perhaps"),
        ("drift_period_s", 0.4),
        ("drift_period_s", 3601),
        ("drift_sample_s", 0),
        ("drift_days", 0),
        ("drift_days", float("inf")),
        ("detector_timeout_s", float("inf")),
        ("oracle_delay_s", float("inf")),
        ("keyframe_s", float("nan")),
        ("log_flush_s", 1e-300),
        ("triage_period_s", 1e-300),
        ("home", '"/srv/streetloop"'),
        ("home", "$HOME/streetloop"),
        ("home", "/srv/a\nb"),
        ("home", "/srv/\udcff"),
        ("ledger_url", ""),
        ("label_hook_port", -1),
        ("label_hook_port", 65536),
        ("label_hook_host", ""),
        ("label_hook_url", "streets.example:8091"),
        ("store_url", "gs://streets"),
        ("s3_region", ""),
        ("s3_secret_key", ""),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**{name: value})
    assert [fault["loc"] for fault in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", 32),
        ("image_size", 4096),
        ("confidence", 1),
        ("staleness_s", 60),
        ("max_batch", 1),
        ("max_batch", 256),
        ("backend", "torch"),
        ("drift_period_s", 0.5),
        ("drift_period_s", 3600),
    ],
)
def test_the_bounds_themselves_are_allowed(name: str, value: object) -> None:
    assert getattr(Settings(**{name: value}), name) == value


def test_the_environment_is_held_to_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_MAX_BATCH", "many")
    with pytest.raises(ValidationError, match="max_batch"):
        Settings()


def test_the_token_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_API_TOKEN", "hunter2")
    settings = Settings()
    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_the_ledger_is_a_file_in_the_home_unless_it_is_said_where() -> None:
    assert Settings(home=Path("/srv/streets")).ledger == "sqlite:////srv/streets/ledger.db"
    elsewhere = Settings(ledger_url="postgresql://user:hunter2@host/name")
    assert elsewhere.ledger == "postgresql://user:hunter2@host/name"
    assert "hunter2" not in f"{elsewhere} {elsewhere!r} {elsewhere.model_dump_json()}"


def test_settings_do_not_change_once_they_are_read() -> None:
    with pytest.raises(ValidationError):
        Settings().max_batch = 3  # type: ignore[misc]


# Bands


def test_a_class_has_a_band_of_its_own_and_what_is_not_said_is_as_usual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STREETLOOP_LABEL_BANDS", '{"person": {"low": 0.1, "weight": 3}}')
    assert Settings().label_bands == {"person": BandSetting(low=0.1, high=0.6, weight=3)}


@pytest.mark.parametrize(
    ("bands", "where"),
    [
        ({"car": {"low": 0.6, "high": 0.6}}, "label_bands.car': low must be less than high"),
        ({"car": {"low": 0.7}}, "label_bands.car': low must be less than high"),
        ({"car": {"high": 1.5}}, "label_bands.car.high'"),
        ({"car": {"low": -0.1}}, "label_bands.car.low'"),
        ({"car": {"weight": -1}}, "label_bands.car.weight'"),
        ({"car": {"weight": float("nan")}}, "label_bands.car.weight'"),
        ({"car": {"weight": float("inf")}}, "label_bands.car.weight'"),
        ({"car": {"wieght": 1}}, "label_bands.car.wieght'"),
        ({"car": 0.5}, "label_bands.car'"),
        ({7: {}}, "label_bands.7"),
        ([0.25, 0.6], "label_bands'"),
    ],
)
def test_a_band_that_is_none_is_refused_by_its_class(bands: object, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        read_settings(label_bands=bands)


@pytest.mark.parametrize("text", ["{bad", "person: {low: 0.1}"])
def test_a_variable_that_is_not_json_is_a_mistake_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("STREETLOOP_LABEL_BANDS", text)
    with pytest.raises(ConfigError, match=r"STREETLOOP_LABEL_BANDS.*not JSON") as caught:
        read_settings()
    assert text not in str(caught.value)


# Values as people write them


def test_a_tilde_is_the_home_of_the_user_where_no_shell_has_replaced_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STREETLOOP_HOME", "~/sl")
    monkeypatch.setenv("STREETLOOP_STORE_URL", "~/store")
    settings = read_settings()
    assert settings.home == tmp_path / "sl"
    assert settings.store_url == str(tmp_path / "store")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("HOME", "~nobody-of-that-name/sl", "a user who has no home"),
        ("STORE_URL", "s3:/bucket", "write a folder, or s3://bucket"),
        ("STORE_URL", "gs:///bucket", "write a folder, or s3://bucket"),
        ("LABEL_STUDIO_URL", "localhost:8080", "https?://"),
        ("CLASSES", "car,bus", 'such as ["car", "bus"]'),
        ("CLASSES", '["car"', 'such as ["car", "bus"]'),
    ],
)
def test_a_value_that_would_mean_another_place_is_refused(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"STREETLOOP_{variable}", value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert f"STREETLOOP_{variable}" in str(caught.value)
    assert words in str(caught.value)


def test_all_wrong_variables_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_CONFIDENCE", "50%")
    monkeypatch.setenv("STREETLOOP_THREADS", "two")
    with pytest.raises(ConfigError) as caught:
        read_settings()
    first, second = str(caught.value).splitlines()
    assert first.startswith("STREETLOOP_CONFIDENCE: ")
    assert second.startswith("STREETLOOP_THREADS: ")


def test_a_misspelled_variable_is_told_and_those_of_others_are_not() -> None:
    others = {"STREETLOOP_PORT_8000_TCP": "x", "STREETLOOP_TEST_DATA": "x", "STREETLOOP_HOME": "x"}
    assert misspelled(others) == []
    assert misspelled({"STREETLOOP_CONFIDENSE": "0.5", "STREETLOOP_MODELL": "x.pt"}) == [
        "STREETLOOP_CONFIDENSE has no effect; do you mean STREETLOOP_CONFIDENCE?",
        "STREETLOOP_MODELL has no effect; do you mean STREETLOOP_MODEL?",
    ]
