"""docs/contributing.md names tests that there are."""

import re

from tests.docs.pages import DOCS, ROOT


def test_the_slowest_tests_are_where_the_page_says() -> None:
    named = re.findall(r"^\| `([\w/]+/test_\w+\.py)`", DOCS["contributing.md"], re.MULTILINE)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []
