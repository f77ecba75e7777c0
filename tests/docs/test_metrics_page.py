"""docs/metrics.md is made from the catalogue."""

from flows.runtime.metrics.docs_page import metrics_page
from tests.docs.pages import DOCS


def test_the_page_is_that_of_the_code() -> None:
    assert DOCS["metrics.md"] == metrics_page(), "python -m flows.runtime.metrics.docs_page > docs/metrics.md"
