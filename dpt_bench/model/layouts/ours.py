"""Our own layout: every key under its own name."""

from __future__ import annotations

from dpt_bench.model.layouts._layout import Layout
from dpt_bench.model.spec import ModelSpec


def _names(_: ModelSpec, key: str) -> tuple[str, ...]:
    return (key,)


def _unused(_: ModelSpec, __: str) -> bool:
    return False


LAYOUT = Layout("weights of dpt_bench", mark="reassemble.", names=_names, unused=_unused)
