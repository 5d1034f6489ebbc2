"""The HTML shell of every page we write: one file, nothing fetched, light and dark, readable on a phone."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True)
class Link:
    """A link to another page of the same site, relative to the page that shows it."""

    text: str
    href: str


@dataclass(frozen=True)
class Page:
    """One page. Every text is escaped; `body` is finished markup.

    title: heading and window title. lead: a sentence or two below it. trail: links from the site's start to this page.
    footer: what made the page.
    """

    title: str
    body: Markup
    lead: str = ""
    trail: tuple[Link, ...] = ()
    footer: str = ""


def render_page(page: Page) -> str:
    """The page as one HTML document: style and script are inline, and a content security policy forbids the rest.

    Tables with `data-sortable` sort by a click on a header's button; an input with `data-filter` hides the rows of such
    tables that lack one of its words.
    """
    shell = environment("dpt_bench.render")
    style, script = (Markup(_source(shell, name)) for name in ("page.css", "page.js"))  # noqa: S704 - files of ours
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return shell.get_template("page.html.j2").render(page=page, style=style, script=script, script_sha256=digest)


@cache
def environment(package: str) -> Environment:
    """A jinja2 environment over the `templates` folder of a package: escapes all values, refuses undefined names."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _source(shell: Environment, name: str) -> str:
    assert shell.loader is not None
    return shell.loader.get_source(shell, name)[0]
