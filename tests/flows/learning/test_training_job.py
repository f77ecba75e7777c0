"""`streetloop train`, with real Ray Train and a real MLflow."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from drift.measurement.features import NAMES, OF_IMAGES
from flows.cli.main import app
from flows.learning.dataset_builder import gather_material, save_material
from flows.learning.register_version import register_kept
from flows.learning.training_job import train_model
from flows.learning.training_plan import TrainingRequest, read_plan
from streetloop.errors import DatasetError, DatasetInvalid, RegistryError, TrainingError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.flows.conftest import Chain
from tests.support.learning import SMALL, WeakHome, add_labels
from tests.support.servers.mlflow_server import MlflowServer
from train.data.dataset import TRAIN, VALIDATION, load_dataset
from train.data.validation import missing_classes
from train.fine_tuning.recipe import Progress
from train.first_champion import ensure_champion
from train.model.drift_reference import training_past
from train.model.find_model import find_model, open_registry
from train.model_registry import CHALLENGER, CHAMPION

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def _silent(_: object) -> None:
    pass


def test_a_version_comes_out_whole_and_challenges_the_champion(chain: Chain) -> None:
    champion, candidate = (open_registry(chain.settings).find(n) for n in (CHAMPION, CHALLENGER))
    assert chain.said["accepted"], chain.said["reasons"]
    assert candidate.number == chain.said["version"]
    assert candidate.record.parent == champion.number
    assert candidate.record.dataset == chain.said["dataset"]
    assert candidate.record.recipe["imgsz"] == SMALL["imgsz"]
    assert candidate.record.recipe["threads"] == chain.settings.threads
    assert candidate.record.scores["map50/all"] > 0.01
    assert candidate.record.class_scores.keys() == candidate.record.champion_class_scores.keys()
    assert max(candidate.record.class_scores.values()) > 0.01
    assert "gains" in " ".join(candidate.record.verdict)
    model = find_model(CHALLENGER, chain.settings)
    assert model.onnx.is_file()
    assert model.checkpoint is not None
    assert model.checkpoint.is_file()


def test_the_labels_are_known_to_be_learned(chain: Chain) -> None:
    ledger = open_ledger(chain.settings.ledger)
    dataset = load_dataset(open_store(chain.settings), chain.said["dataset"])
    learned = list_reviews(ledger, [ReviewState.IN_DATASET])
    assert {r.digest for r in learned} == chain.digests == {e.image for e in dataset.examples}
    assert {r.dataset for r in learned} == {dataset.digest}
    assert len(dataset.split(TRAIN)) == 4 * len(dataset.split(VALIDATION)) == 48


def test_the_epochs_are_in_mlflow(chain: Chain) -> None:
    import mlflow

    version = open_registry(chain.settings).find(CHALLENGER)
    client = mlflow.MlflowClient(chain.settings.tracking)
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["dataset"] == chain.said["dataset"]
    history = client.get_metric_history(version.run_id, "metrics/mAP50_B_")
    assert [point.step for point in history] == list(range(SMALL["epochs"]))
    assert any(name.startswith("loss/") for name in run.data.metrics)


def test_a_new_version_knows_its_pictures_and_what_it_says_of_them(chain: Chain) -> None:
    past = training_past(find_model(CHALLENGER, chain.settings))
    assert past is not None
    assert len(past) == chain.said["images"]
    told = np.isfinite(past.values[:, NAMES.index("detections")])
    assert told.sum() == 12, "on the frames that it has not learned by heart"
    for k, name in enumerate(NAMES):
        assert not np.isnan(past.values[:, k]).any() or name not in OF_IMAGES


def test_a_name_that_is_over_is_not_trained_again(chain: Chain) -> None:
    with pytest.raises(TrainingError, match="first is over: it became version 2"):
        train_model(chain.settings, _ledger(chain), TrainingRequest("first"), _silent, _silent)


def test_without_new_labels_nothing_is_trained(chain: Chain) -> None:
    with pytest.raises(DatasetError, match="no new labels"):
        train_model(chain.settings, _ledger(chain), TrainingRequest("second"), _silent, _silent)
    assert not (chain.settings.home / "training/second.plan.json").exists()


@pytest.mark.usefixtures("shared_ray")
def test_a_candidate_that_does_not_gain_is_registered_and_does_not_challenge(weak: Settings) -> None:
    ledger = open_ledger(weak.ledger)
    recipe = {**SMALL, "epochs": 1, "lr0": 1e-9, "warmup_epochs": 0}
    outcome = train_model(weak, ledger, TrainingRequest("still", recipe=recipe), _silent, _silent)
    assert not outcome.verdict.accepted
    assert "no certain gain" in outcome.verdict.reasons[0]
    assert open_registry(weak).find("2").record.verdict == outcome.verdict.reasons
    with pytest.raises(RegistryError):
        open_registry(weak).find(CHALLENGER)


@pytest.mark.usefixtures("shared_ray")
def test_a_training_outlives_its_registry(weak: Settings, tmp_path: Path) -> None:
    """MLflow is away from the first epoch on; what was trained is registered when it is back."""
    server = MlflowServer(tmp_path / "mlflow")
    server.start()
    settings = Settings(**{**weak.model_dump(), "tracking_uri": server.url})
    ledger = open_ledger(settings.ledger)
    epochs: list[int] = []

    def watch(now: Progress) -> None:
        server.stop()
        if now.epoch_over:
            epochs.append(now.epoch)

    try:
        with pytest.raises(RegistryError, match="train --register") as caught:
            train_model(settings, ledger, TrainingRequest("away", recipe=SMALL), _silent, watch)
        assert epochs == [0, 1], "it went on"
        file = Path(str(caught.value).split("--register ")[1].split("`")[0])
        with pytest.raises(RegistryError, match="did not answer"):
            register_kept(settings, ledger, file)
        assert file.is_file()
        assert len(list_reviews(ledger, [ReviewState.LABELED])) == 60
        server.start()
        home = {"STREETLOOP_HOME": str(settings.home), "STREETLOOP_TRACKING_URI": server.url}
        result = CliRunner().invoke(app, ["train", "--register", str(file)], env=home)
        assert "registered as version 2" in result.output
        assert open_registry(settings).find(CHALLENGER).number == 2
        assert len(list_reviews(ledger, [ReviewState.IN_DATASET])) == 60
        assert not file.exists()
        with pytest.raises(TrainingError, match="is over"):
            train_model(settings, ledger, TrainingRequest("away"), _silent, _silent)
    finally:
        server.stop()


class _Stopped(Exception):
    pass


def test_a_name_goes_on_with_what_it_was_asked_for(weak: Settings) -> None:
    ledger = open_ledger(weak.ledger)
    told: list[str] = []

    def stop(sentence: str) -> None:
        if sentence.startswith("training on"):
            told.append(sentence)
            raise _Stopped

    for name in ("stopped", "stopped", "another"):
        with pytest.raises(_Stopped):
            train_model(weak, ledger, TrainingRequest(name, recipe=SMALL), stop, _silent)
        # Labeled meanwhile, by the same model on other pictures.
        version = list_reviews(ledger, [ReviewState.LABELED])[0].model_version
        add_labels(weak, ledger, version, frames=5, first_seed=100 * len(told))
    first, again, another = told
    assert first == again, "the labels of the first time, and no others"
    assert another != first
    plan = read_plan(weak, "stopped")
    assert plan is not None
    assert plan.request.recipe["epochs"] == SMALL["epochs"]


@pytest.mark.model
def test_a_champion_of_other_classes_refuses_or_is_told_which_is_which(weak: Settings, weights: Path) -> None:
    """The champion knows COCO's eighty classes, the labels are of the city's five."""
    champion, _ = ensure_champion(weak.model_copy(update={"model": str(weights)}), _silent)
    assert len(champion.record.classes) == 80
    ledger = open_ledger(weak.ledger)
    with pytest.raises(DatasetError, match=r"labels are of 'cycle'.*--map cycle=CLASS"):
        gather_material(weak, ledger, champion, "x", {})
    found = gather_material(weak, ledger, champion, "x", {"cycle": "bicycle"}).dataset
    assert "zebra" in missing_classes(found), "no street has one; the champion knows it already"
    assert "bicycle" not in missing_classes(found)


def test_a_dataset_that_cannot_be_judged_is_refused_with_its_faults(
    weak_home: WeakHome, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home", model=str(weak_home.model))
    shutil.copytree(weak_home.folder / "models", settings.models)
    ledger = open_ledger(settings.ledger)
    add_labels(settings, ledger, weak_home.version, frames=1)
    champion, _ = ensure_champion(settings, _silent)
    with pytest.raises(DatasetInvalid) as caught:
        save_material(settings, gather_material(settings, ledger, champion, "x", {}), champion)
    assert "no image is for val" in caught.value.faults


def _ledger(chain: Chain) -> Ledger:
    return open_ledger(chain.settings.ledger)
