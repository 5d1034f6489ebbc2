"""The site in Debian's headless Chromium, driven by the DevTools protocol over a pipe: clicks, keys, what was fetched."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.leaderboard import render

pytestmark = pytest.mark.slow

HOSTILE = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)


class Navigated(Exception):  # noqa: N818 - an answer that a page owed when another took its place
    pass


class Browser:
    """One tab. `events` keeps everything the page said: console, exceptions, requests."""

    def __init__(self, program: str, profile: Path) -> None:
        commands, self._to_browser = os.pipe()
        self._from_browser, answers = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 100) for end in (commands, answers)]

        def connect() -> None:  # Chromium reads commands from 3 and answers on 4
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=connect,
        )
        for end in (commands, answers, *high):
            os.close(end)
        self._buffer = b""
        self._next = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._next += 1
        message = {"id": self._next, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise Navigated(answer["error"]) if "navigated" in str(answer) else AssertionError(answer)
                result: dict[str, Any] = answer["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, page: Path) -> None:
        self.call("Page.navigate", url=page.as_uri())
        self.wait(f"document.readyState === 'complete' && location.href.startsWith({page.as_uri()!r})")

    def wait(self, condition: str) -> None:
        end = time.monotonic() + 20
        while not self._holds(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.evaluate(condition))
        except Navigated:
            return False

    def click(self, selector: str) -> None:
        spot = self.evaluate(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center', behavior: 'instant'}});"
            " const r = e.getClientRects()[0]; return [r.left + r.width / 2, r.top + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    def press(self, key: str, text: str = "") -> None:
        code = {"Tab": 9, "Enter": 13, " ": 32}[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=code)

    def close(self) -> None:
        self._session = None
        os.write(self._to_browser, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        for end in (self._to_browser, self._from_browser):
            os.close(end)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            block = os.read(self._from_browser, 1 << 16)
            assert block, "the browser has gone"
            self._buffer += block
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, Path(profile))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, write_results: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("site")
    models = {"plain": {"kitti": 0.1, "nyu": 0.2}, HOSTILE: {"kitti": 0.3, "nyu": 0.1}, "part": {"kitti": 0.2}}
    results = write_results(folder / "results", models, world=True, pictures=True)
    render([results], folder / "out", suites=("nyu-eigen",))
    return folder / "out"


@pytest.fixture
def index(browser: Browser, site: Path) -> Browser:
    browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
    browser.call("Emulation.setEmulatedMedia", features=[])
    browser.open(site / "index.html")
    return browser


def column(browser: Browser, name: str) -> list[str]:
    """The first table's values of a column, from top to bottom."""
    found: list[str] = browser.evaluate(
        "(() => { const t = document.querySelector('table');"
        f" const i = t.querySelector('th[data-column={name}]').cellIndex;"
        " return [...t.tBodies[0].rows].map((row) => row.cells[i].dataset.value) })()"
    )
    return found


def sort_of(browser: Browser, name: str) -> str:
    order: str = browser.evaluate(f"document.querySelector('table th[data-column={name}]').ariaSort")
    return order


def test_a_click_on_a_header_sorts_and_a_second_one_turns_the_order(index: Browser) -> None:
    assert sort_of(index, "improvement") == "descending"
    index.click("th[data-column=kitti] button")
    values = [float(value) for value in column(index, "kitti")]
    assert values == sorted(values)
    assert (sort_of(index, "kitti"), sort_of(index, "improvement")) == ("ascending", "none")
    index.click("th[data-column=kitti] button")
    assert [float(value) for value in column(index, "kitti")] == sorted(values, reverse=True)
    assert sort_of(index, "kitti") == "descending"


def test_numbers_sort_as_numbers_and_names_as_names(index: Browser) -> None:
    index.click("th[data-kind=text] button")
    names = index.evaluate(
        "[...document.querySelector('table').tBodies[0].rows].map((row) => row.cells[0].dataset.value)"
    )
    assert names[0].startswith("Casser")
    assert names.index("MiDaS v2.1 Small-256") < names.index("MiDaS v3.0 DPT-L-384") < names.index("Xian et al. 2018")
    index.click("th[data-column=improvement] button")
    values = [value for value in column(index, "improvement") if value]
    assert [float(value) for value in values] == sorted(map(float, values), reverse=True)
    assert values != sorted(values, reverse=True), "as text the order would be another one"


def test_gaps_stay_last_in_both_orders(index: Browser) -> None:
    own = "section[aria-label*=own] "
    for _ in range(2):
        index.click(own + "th[data-column=nyu] button")
        last = index.evaluate(f"document.querySelector({own!r} + 'tbody tr:last-child').textContent")
        assert "part" in last


def test_headers_are_reached_and_pressed_by_keyboard(index: Browser) -> None:
    index.click("input[type=search]")
    for _ in range(60):
        index.press("Tab")
        if index.evaluate("document.activeElement.closest('th')?.dataset.column") == "kitti":
            break
    assert index.evaluate("document.activeElement.closest('th').dataset.column") == "kitti"
    index.press("Enter", "\r")
    assert sort_of(index, "kitti") == "ascending"
    index.press(" ", " ")
    assert sort_of(index, "kitti") == "descending"


def test_the_filter_hides_rows_without_its_words_and_counts(index: Browser) -> None:
    total = index.evaluate("document.querySelectorAll('tbody tr').length")
    index.click("input[type=search]")
    index.call("Input.insertText", text="beit 512 SQUARE")
    shown = index.evaluate(
        "[...document.querySelectorAll('tbody tr')].filter((r) => r.checkVisibility()).map((r) => r.innerText)"
    )
    assert len(shown) == 1
    assert "height 512, square" in shown[0]
    assert index.evaluate("document.querySelector('output').textContent") == f"1 of {total} rows"
    index.evaluate(
        "(() => { const i = document.querySelector('input'); i.value = ''; i.dispatchEvent(new Event('input')) })()"
    )
    assert index.evaluate("document.querySelector('output').textContent") == f"{total} rows"


def test_links_lead_to_models_and_suites_and_back(index: Browser) -> None:
    index.click("section[aria-label*=own] tbody a[href*=plain]")
    index.wait("document.readyState === 'complete' && document.querySelector('h1')?.textContent === 'plain'")
    assert index.evaluate("[...document.images].every((i) => i.loading === 'lazy') && document.images.length") == 24
    assert index.evaluate(
        "(async () => { for (const i of document.images) { i.loading = 'eager'; await i.decode() } return true })()"
    )
    index.click("a[href*='suites/midas']")
    index.wait("document.readyState === 'complete' && location.pathname.endsWith('suites/midas-v1.html')")
    index.click("nav a")
    index.wait("document.readyState === 'complete' && document.querySelector('h1')?.textContent === 'Leaderboard'")


def test_markup_in_names_is_shown_and_does_nothing(index: Browser, site: Path) -> None:
    assert HOSTILE in index.evaluate("document.body.innerText")
    assert index.evaluate("window.hit") is None
    index.evaluate(
        "[...document.querySelectorAll('section[aria-label*=own] tbody a')].find((a) => a.textContent.includes('<script>')).click()"
    )
    index.wait("document.readyState === 'complete' && document.querySelector('h1')?.textContent.includes('<script>')")
    assert index.evaluate("document.querySelector('h1').textContent") == HOSTILE
    assert index.evaluate("window.hit") is None


def test_a_script_that_slipped_through_would_not_run(index: Browser) -> None:
    index.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.hit = 2'; document.body.append(s) })()"
    )
    assert index.evaluate("window.hit") is None
    refusals = [event for event in index.events if "Content Security Policy" in json.dumps(event)]
    assert refusals
    index.events[:] = [event for event in index.events if event not in refusals]  # the only errors that are meant to be


@pytest.mark.parametrize("page", ["index.html", "suites/midas-v1.html", "models/plain.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_follow_the_colour_scheme(index: Browser, site: Path, page: str, scheme: str) -> None:
    index.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    index.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    index.open(site / page)
    assert index.evaluate("document.documentElement.scrollWidth") <= 390
    channels = index.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (min(channels) > 200) if scheme == "light" else (max(channels) < 60)
    if page == "index.html":
        wide = index.evaluate(
            "(() => { const s = document.querySelector('.scroll'); return s.scrollWidth > s.clientWidth })()"
        )
        assert wide, "the table scrolls inside its own box"
        index.evaluate("document.querySelector('.scroll').scrollLeft = 300")
        assert index.evaluate("document.querySelector('tbody th').getBoundingClientRect().left") == 0


def test_nothing_was_fetched_and_nothing_went_wrong(browser: Browser, site: Path) -> None:
    for page in sorted(site.rglob("*.html")):
        browser.open(page)
    requests = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert len(requests) >= len(list(site.rglob("*.html")))
    assert {url.split(":", 1)[0] for url in requests} <= {"file", "about"}
    assert all(url.startswith(site.as_uri()) for url in requests if url.startswith("file:"))
    said = [
        event
        for event in browser.events
        if event["method"] in ("Runtime.consoleAPICalled", "Log.entryAdded", "Runtime.exceptionThrown")
    ]
    assert said == []
