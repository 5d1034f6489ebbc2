"""Single settings on top of a TOML file: `--set a.b=c`."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable
from typing import Any

from dpt_bench.core.errors import UsageError


def parse_settings(settings: Iterable[str]) -> dict[str, str]:
    """`["a.b=c"]` as `{"a.b": "c"}`.

    Raises:
        UsageError: a setting has no "=" or no key.
    """
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise UsageError("a setting must read key=value", where=f"--set {setting}", fix="such as --set seed=1")
        pairs[key.strip()] = value.strip()
    return pairs


def merged(tables: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """A copy of `tables` in which every dotted key has its new value; tables on the way are made.

    Raises:
        UsageError: a key leads through something that is no table.
    """
    result = copy.deepcopy(tables)
    for dotted, value in overrides.items():
        *path, last = dotted.split(".")
        table = result
        for part in path:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise UsageError(f"{part!r} holds a value, not a table of settings", where=f"--set {dotted}={value}")
        table[last] = _typed(value) if isinstance(value, str) else value
    return result


def _typed(text: str) -> Any:
    """The TOML value that a text spells, or the text itself: 3, 1e-4, true, [1, 2], word; `none` removes a value."""
    if text.lower() == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
