from collections.abc import Callable, Iterator

import pytest

from tests.support.stream_flow.watcher import Watcher


@pytest.fixture
def watch() -> Iterator[Callable[..., Watcher]]:
    watchers: list[Watcher] = []

    def start(uri: str, transport: str = "tcp") -> Watcher:
        watchers.append(Watcher(uri, transport))
        return watchers[-1]

    yield start
    for watcher in watchers:
        watcher.close()
