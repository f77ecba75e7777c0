"""What a browser shows of a running app: first paint, pictures a second, trouble on the console.

streetloop demo &                # or `streetloop up`
python -m benchmarks.app [--url http://127.0.0.1:8000]
"""

import json
import shutil
import time

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import finish, new_parser, parse_options

_CARD = "#sl-wall figure"


def shown(page: Page) -> dict[str, int]:
    """Pictures so far, by camera."""
    cards = page.query_selector_all(_CARD)
    return {
        str(card.get_attribute("data-camera")): int(card.get_attribute("data-shown") or 0) for card in cards
    }


def measure(url: str, settle: float, seconds: float) -> dict[str, object]:
    """Look at the wall for a while, once the page has loaded what it is made of."""
    trouble: list[str] = []
    strangers: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith((url, "data:", "blob:")) else strangers.append(r.url),
        )
        page.goto(f"{url}/app/")
        page.wait_for_selector(f"{_CARD}[data-shown]")
        paint = page.evaluate("performance.getEntriesByType('paint').map(e => e.startTime)")
        page.wait_for_timeout(1000 * settle)
        before, began = shown(page), time.monotonic()
        page.wait_for_timeout(1000 * seconds)
        after, passed = shown(page), time.monotonic() - began
        browser.close()
    rates = {name: round((count - before.get(name, 0)) / passed, 1) for name, count in after.items()}
    return {
        "first_paint_s": round(max(paint) / 1000, 2),
        "pictures_a_second": rates,
        "console_errors": trouble,
        "asked_of_others": [address for address in strangers if "/live" not in address],
    }


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds before the first count")
    parser.add_argument("--seconds", type=float, default=15.0)
    choice = parse_options(parser)
    found = measure(choice.url.rstrip("/"), choice.settle, choice.seconds)
    print(json.dumps(found, indent=2))
    finish(choice, found)


if __name__ == "__main__":
    main()
