from __future__ import annotations

import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.training.overrides import merged, parse_settings


def test_settings_are_split_at_the_first_equals_sign() -> None:
    assert parse_settings(["a.b=c", "title = x=y "]) == {"a.b": "c", "title": "x=y"}


@pytest.mark.parametrize("setting", ["a.b", "=3", "a..b=1", ".a=1"])
def test_a_setting_without_key_or_value_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match="key=value"):
        parse_settings([setting])


def test_merging_leaves_the_tables_as_they_were() -> None:
    tables = {"a": {"b": 1, "c": 2}}
    assert merged(tables, {"a.b": "7", "d.e": "word", "f": "1.5"}) == {
        "a": {"b": 7, "c": 2},
        "d": {"e": "word"},
        "f": 1.5,
    }
    assert tables == {"a": {"b": 1, "c": 2}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-4", 1e-4),
        ("true", True),
        ("none", None),
        ("[1, 2]", [1, 2]),
        ("dpt-tiny", "dpt-tiny"),
        ("'3'", "3"),
    ],
)
def test_values_are_read_as_toml(text: str, value: object) -> None:
    assert merged({}, {"key": text})["key"] == value
