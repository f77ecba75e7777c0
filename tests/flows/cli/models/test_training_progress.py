"""A training in a log or a pipe."""

import pytest

from flows.cli.models.training_progress import training_progress
from train.fine_tuning.recipe import Progress


def test_without_a_terminal_each_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress() as (say, show):
        say("training on 48 images")
        show(Progress(0, 2, 0.5, {"box_loss": 1.5}))
        show(Progress(0, 2, 1.0, {"metrics/mAP50(B)": 0.4321}, epoch_over=True))
        show(Progress(1, 2, 1.0, {}, epoch_over=True))
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second, third = captured.err.splitlines()
    assert first == "training on 48 images ..."
    assert second.startswith("epoch 1/2, mAP50 0.432; 0 s, about 0 s left")
    assert third.startswith("epoch 2/2; ")
