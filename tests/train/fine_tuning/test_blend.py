"""A candidate on the way between what it started from and what it was trained to."""

from pathlib import Path

import pytest
import torch

from train.ultralytics_adapter import prepare, publish_checkpoint

pytestmark = pytest.mark.slow

BASELINE = Path("models/baseline/baseline.pt")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The baseline with every weight moved by one half."""
    prepare()
    checkpoint = torch.load(BASELINE, weights_only=False)
    network = checkpoint["model"].float()
    moved = {k: v + 0.5 if v.is_floating_point() else v for k, v in network.state_dict().items()}
    network.load_state_dict(moved)
    path = tmp_path_factory.mktemp("trained") / "trained.pt"
    torch.save({**checkpoint, "model": network}, path)
    return path


def weights(path: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(path, weights_only=False)["model"].state_dict()
    return {name: value.float() for name, value in found.items() if value.is_floating_point()}


@pytest.mark.parametrize(("share", "moved"), [(1.0, 0.5), (0.6, 0.3), (0.0, 0.0)])
def test_every_weight_is_so_far_on_the_way(trained: Path, tmp_path: Path, share: float, moved: float) -> None:
    target = tmp_path / "published.pt"
    publish_checkpoint(trained, target, "test", BASELINE, share)
    before, after = weights(BASELINE), weights(target)
    assert before.keys() == after.keys()
    for name, value in after.items():
        torch.testing.assert_close(value, before[name] + moved, atol=0.02, rtol=0.01)


def test_without_a_start_it_is_what_was_trained(trained: Path, tmp_path: Path) -> None:
    publish_checkpoint(trained, tmp_path / "published.pt", "test")
    after, learned = weights(tmp_path / "published.pt"), weights(trained)
    for name, value in after.items():
        torch.testing.assert_close(value, learned[name], atol=0.02, rtol=0.01)
