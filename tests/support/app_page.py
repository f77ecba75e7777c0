"""The panels of the app by name, and what is in a page of HTML."""

import re
from html.parser import HTMLParser

from serve.web.app import panels
from serve.web.app.alert_panel import alerts

PANELS: dict[str, panels.Draw] = {
    "header": panels.header,
    "loop": panels.loop,
    "counts": panels.counts,
    "alerts": alerts,
    "drift": panels.drift,
    "review": panels.review,
    "models": panels.models,
    "rollout": panels.rollout,
    "health": panels.health,
}


class Tags(HTMLParser):
    """Tags and attributes of a page, and whether all that opens closes."""

    VOID = frozenset({"img", "br", "input", "meta", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def words(page: str) -> str:
    """What is read."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
