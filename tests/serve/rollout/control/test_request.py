"""Asking for a rollout of a registered version, and who the champions are."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from serve.rollout.control.champions import Champions, city_champions, serving_model
from serve.rollout.control.request import verdict_of
from serve.rollout.policy import Policy
from serve.rollout.rollout_record import parse_summary
from serve.rollout.rollout_summary import JudgeVerdict
from serve.rollout.route_table import city_application
from streetloop.errors import NotFound, RegistryError, RolloutError
from streetloop.ledger import open_ledger
from streetloop.ledger.rollouts import Rollout, list_decisions, list_rollouts, open_rollout
from streetloop.settings import BASELINE, Settings
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from tests.support.stream_flow.build import camera
from train.model.find_model import has_registry, open_registry
from train.model_registry import CHALLENGER, CHAMPION, Registry, VersionRecord

ANSWER = detector_output((32, 32, 20, 10, 0, 0.9))
OSLO = city_application("Oslo")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A registry of four versions; the third knows other classes."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home)
    registry = open_registry(settings)
    for number in range(1, 5):
        classes = ("person",) if number == 3 else NAMES
        file = write_tiny_model(home / f"{number}.onnx", ANSWER, slope=number / 100)
        record = VersionRecord("", None, classes, "c0ffee", model_version=f"m-{number}")
        registry.register(registry.start(f"{number}", {}), file, record)
    return settings


@pytest.fixture
def settings(kept: Settings, tmp_path: Path) -> Settings:
    """Version 1 is the champion, no city has one of its own, no rollout was ever asked for."""
    registry = open_registry(kept)
    for version in registry.versions():
        for alias in version.aliases:
            registry.drop_alias(alias)
    registry.set_alias(CHAMPION, 1)
    return kept.model_copy(update={"ledger_url": _secret(f"sqlite:///{tmp_path / 'ledger.db'}")})


def _secret(url: str) -> object:
    return Settings(ledger_url=url).ledger_url  # type: ignore[arg-type]


def _registry(settings: Settings) -> Registry:
    return open_registry(settings)


def _start(settings: Settings, *arguments: str) -> Rollout:
    environment = {"STREETLOOP_HOME": str(settings.home), "STREETLOOP_LEDGER_URL": settings.ledger}
    result = CliRunner().invoke(app, ["rollout", "start", *arguments], env=environment)
    if result.exception is not None:
        raise result.exception
    found = open_rollout(open_ledger(settings.ledger))
    assert found is not None
    return found


def test_a_version_is_held_against_the_champion(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("minutes: 3")
    found = _start(settings, "2", "--policy", str(file))
    assert (found.model, found.champion, found.city) == ("2", "1", None)
    assert Policy(**found.policy) == Policy(minutes=3)


def test_an_alias_is_written_down_as_the_version_it_stands_for_now(settings: Settings) -> None:
    _registry(settings).set_alias(CHALLENGER, 4)
    assert _start(settings, "challenger").model == "4"


def test_a_city_is_held_against_the_champion_that_it_has(settings: Settings) -> None:
    _registry(settings).set_alias(OSLO, 2)
    found = _start(settings, "4", "--city", "Oslo")
    assert (found.champion, found.city) == ("2", "Oslo")


def test_a_city_without_one_is_held_against_the_common_one(settings: Settings) -> None:
    _registry(settings).set_alias(OSLO, 2)
    assert _start(settings, "2", "--city", "Bergen").champion == "1"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("9",), NotFound, "there is no version '9'"),
        (("1",), RolloutError, "version 1 is the champion already"),
        (("champion",), RolloutError, "version 1 is the champion already"),
        (("3",), RolloutError, "version 3 knows other classes than the champion"),
        (("2", "--city", "Oslo"), RolloutError, "version 2 is the champion already"),
    ],
)
def test_what_cannot_be_tried_is_refused(
    settings: Settings, arguments: tuple[str, ...], error: type[Exception], says: str
) -> None:
    _registry(settings).set_alias(OSLO, 2)
    with pytest.raises(error, match=says):
        _start(settings, *arguments)
    assert list_rollouts(open_ledger(settings.ledger)) == []


def test_the_second_of_two_people_is_refused(settings: Settings) -> None:
    _start(settings, "2")
    with pytest.raises(RolloutError, match="rollout 1 of version 2 is open"):
        _start(settings, "4")


# What the judge said offline


def _judged(settings: Settings, accepted: bool) -> str:
    """A version that was judged."""
    registry = _registry(settings)
    file = write_tiny_model(settings.home / "judged.onnx", ANSWER, slope=0.3)
    record = VersionRecord("", 1, NAMES, "", verdict=("night: why not",), accepted=accepted)
    return str(registry.register(registry.start("judged", {}), file, record).number)


def test_what_the_judge_refused_is_not_tried_and_the_way_out_is_named(settings: Settings) -> None:
    version = _judged(settings, accepted=False)
    with pytest.raises(RolloutError) as caught:
        _start(settings, version)
    assert str(caught.value) == (
        f"version {version} was refused by the judge (night: why not); "
        f"`streetloop rollout start {version} --despite-verdict` tries it all the same"
    )
    assert open_rollout(open_ledger(settings.ledger)) is None


def test_who_overrules_the_judge_is_written_down(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "dora")
    version = _judged(settings, accepted=False)
    found = _start(settings, version, "--despite-verdict")
    (entry,) = list_decisions(open_ledger(settings.ledger), found.id)
    assert (entry.action, entry.author) == ("start", "dora")
    assert entry.reason == (
        f"version {version} was refused by the judge (night: why not): "
        "it is tried all the same, as dora wants it"
    )
    assert entry.summary["verdict"]["accepted"] is False


def test_a_policy_may_leave_the_judge_unheeded(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("heed_verdict: false")
    version = _judged(settings, accepted=False)
    assert _start(settings, version, "--policy", str(file)).model == version


def test_a_verdict_is_shown_and_no_verdict_is_said(settings: Settings) -> None:
    version = _judged(settings, accepted=True)
    found = _start(settings, version)
    verdict = parse_summary(found).verdict
    assert verdict is not None
    assert (verdict.accepted, verdict.reasons) == (True, ("night: why not",))
    assert verdict.says == f"version {version} was accepted by the judge (night: why not)"
    by_hand = verdict_of(_registry(settings).find("2"))
    assert by_hand == JudgeVerdict(accepted=None, reasons=(), says="version 2 was never judged")


# Champions


def test_the_champion_serves_after_a_restart(settings: Settings) -> None:
    _registry(settings).set_alias(CHALLENGER, 2)
    before = serving_model(settings)
    Champions(settings).set_champion("2", CHAMPION)
    after = serving_model(settings)
    assert before.version != after.version
    assert after.version == Champions(settings).find("2").version
    aliases = {v.number: v.aliases for v in _registry(settings).versions()}
    assert aliases[2] == (CHAMPION,)
    assert aliases[1] == ()


def test_a_city_has_a_champion_until_it_is_cleared(settings: Settings) -> None:
    cameras = [
        camera(one).model_copy(update={"city": city})
        for one, city in (("a", "Oslo"), ("b", "Bergen"), ("c", None))
    ]
    champions = Champions(settings)
    champions.set_champion("2", OSLO)
    assert city_champions(settings, cameras) == {"Oslo": OSLO}
    assert champions.find(OSLO).version == champions.find("2").version
    for _ in range(2):
        champions.clear_champion(OSLO)
        assert city_champions(settings, cameras) == {}


@pytest.mark.parametrize("city", ["Den Haag", "São Paulo", "St. John's", "東京"])
def test_a_city_of_any_name_may_have_a_champion(settings: Settings, city: str) -> None:
    champions = Champions(settings)
    champions.set_champion("2", city_application(city))
    assert champions.find(city_application(city)).version == champions.find("2").version
    champions.clear_champion(city_application(city))


def test_cameras_without_cities_ask_no_registry(settings: Settings) -> None:
    away = settings.model_copy(update={"tracking_uri": _uri("http://127.0.0.1:9")})
    assert city_champions(away, [camera("a")]) == {}


def test_who_asks_for_a_model_gets_it(settings: Settings) -> None:
    wanted = str(write_tiny_model(settings.home / "wanted.onnx", ANSWER, slope=0.5))
    found = serving_model(settings.model_copy(update={"model": wanted}))
    assert found.version.startswith("wanted")


@pytest.mark.parametrize("name", ["1", "2", CHAMPION])
def test_who_asks_for_a_version_gets_it(settings: Settings, name: str) -> None:
    found = serving_model(settings.model_copy(update={"model": name}))
    assert found.version == Champions(settings).find(name).version


def test_where_nothing_was_registered_the_baseline_serves_and_mlflow_is_not_asked(tmp_path: Path) -> None:
    fresh = Settings(home=tmp_path / "fresh")
    assert not has_registry(fresh)
    assert serving_model(fresh).version.startswith("baseline")
    assert fresh.model == BASELINE
    assert not has_registry(fresh)


def test_a_registry_that_is_away_is_not_passed_over(settings: Settings) -> None:
    # The baseline instead of the champion would be a silent step back.
    away = settings.model_copy(update={"tracking_uri": _uri("http://127.0.0.1:9")})
    with pytest.raises(RegistryError, match="did not answer"):
        serving_model(away)


def _uri(url: str) -> object:
    return Settings(tracking_uri=url).tracking_uri  # type: ignore[arg-type]
