"""What every backend keeps to; see `train.model.backends.backend.Backend`."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from streetloop.errors import DetectorError
from train.model.backends.backend import Backend, random_batch
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile


class BackendContract:
    """Tests of one backend; a subclass gives the fixtures ``backend`` and ``model``."""

    @pytest.fixture
    def backend(self) -> Backend:
        """The backend."""
        raise NotImplementedError

    @pytest.fixture
    def model(self) -> ModelFile:
        """The model that it runs, of free size and batch."""
        raise NotImplementedError

    @pytest.mark.parametrize("shape", [(1, 64, 96), (3, 64, 64), (2, 96, 32)])
    def test_an_answer_is_what_the_contract_says(
        self, backend: Backend, model: ModelFile, shape: tuple[int, int, int]
    ) -> None:
        answer = backend.run(random_batch(shape))
        assert answer.dtype == np.float32
        assert model.contract.fits(answer.shape, shape[0])
        assert np.isfinite(answer).all()

    def test_it_answers_as_onnx_runtime_does(self, backend: Backend, model: ModelFile) -> None:
        images = random_batch((2, 64, 96))
        expected = open_backend(model, "onnx", 1).run(images)
        np.testing.assert_allclose(backend.run(images), expected, rtol=1e-2, atol=0.5)

    def test_the_order_of_the_colours_matters(self, backend: Backend) -> None:
        images = random_batch((1, 64, 64))
        images[..., 0] //= 8
        assert not np.allclose(backend.run(images), backend.run(images[..., ::-1].copy()), atol=1e-3)

    def test_an_answer_is_not_overwritten_by_the_next(self, backend: Backend) -> None:
        first = backend.run(random_batch((1, 64, 64), 1))
        kept = first.copy()
        backend.run(random_batch((1, 64, 64), 2))
        np.testing.assert_array_equal(first, kept)

    def test_images_without_three_channels_are_an_error_and_the_next_batch_is_answered(
        self, backend: Backend
    ) -> None:
        with pytest.raises(DetectorError):
            backend.run(random_batch((1, 64, 64))[..., :2])
        assert len(backend.run(random_batch((1, 64, 64)))) == 1

    def test_several_threads_may_ask_at_once(self, backend: Backend) -> None:
        batches = [random_batch((1, 64, 64), seed) for seed in range(4)]
        alone = [backend.run(images) for images in batches]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(backend.run, batches))
        for ours, theirs in zip(together, alone, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-3)

    def test_it_says_where_it_runs(self, backend: Backend) -> None:
        runtime, _, precision = backend.name.partition("/")
        assert runtime
        assert precision in {"fp32", "fp16", "bf16"}
        assert backend.device in {"cpu", "gpu"}
