from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from dpt_bench.render.page import Link, Page, environment, render_page

HOSTILE = "</title><script>hit()</script> \"'&"


def test_texts_are_escaped_and_the_body_is_not() -> None:
    page = Page(HOSTILE, Markup("<p id=body>fine</p>"), HOSTILE, (Link(HOSTILE, '"><script>'),), HOSTILE)
    text = render_page(page)
    assert text.count("<script>") == 1
    assert "<p id=body>fine</p>" in text
    assert text.count("&lt;script&gt;hit()") == 5


def test_the_policy_names_the_one_script_by_its_hash() -> None:
    text = render_page(Page("t", Markup("")))
    (script,) = re.findall(r"<script>(.*)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_nothing_is_loaded() -> None:
    class Loads(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset", "data")]

    Loads().feed(text := render_page(Page("t", Markup("<p>b</p>"))))
    assert Loads.found == []
    assert not re.search(r"@import|url\(", text)


def test_it_is_ready_for_phones_and_for_both_colour_schemes() -> None:
    text = render_page(Page("t", Markup("")))
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in text
    assert "prefers-color-scheme: dark" in text
    assert text.startswith('<!doctype html>\n<html lang="en">')


def test_optional_parts_are_left_out() -> None:
    bare = render_page(Page("t", Markup("")))
    full = render_page(Page("t", Markup(""), lead="L", footer="F"))
    assert ('class="lead"' in bare, "<footer>" in bare) == (False, False)
    assert ('<p class="lead">L</p>' in full, "<footer>F</footer>" in full) == (True, True)


def test_templates_refuse_names_that_nobody_gave() -> None:
    with pytest.raises(UndefinedError):
        environment("dpt_bench.render").from_string("{{ nobody }}").render()
    assert environment("dpt_bench.render").from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(scheme: str) -> None:
    style = render_page(Page("t", Markup("")))
    light, dark = style.split("prefers-color-scheme: dark", 1)
    colours = dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", light if scheme == "light" else dark.split("}", 1)[0]))
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("paper", "ground")]
    for ink, ground in [*pairs, ("accent", "wash"), ("warn", "warn-wash")]:
        low, high = sorted((luminance(colours[ink]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)
