"""A shadow comparison for the tests of inference."""

from collections.abc import Iterator

import pytest

from tests.support.stream_flow.shadow import ShadowBench


@pytest.fixture
def bench() -> Iterator[ShadowBench]:
    bench = ShadowBench()
    yield bench
    bench.shadow.close()
