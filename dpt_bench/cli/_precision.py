"""What a user may write after --precision."""

from __future__ import annotations

from typing import Literal, cast

from dpt_bench.core.errors import UnknownNameError

Precision = Literal["fp32", "bf16"]


def parse_precision(text: str) -> Precision:
    """The precision of this name.

    Raises:
        UnknownNameError: there is none.
    """
    if text not in ("fp32", "bf16"):
        raise UnknownNameError("precision", text, ("fp32", "bf16"))
    return cast(Precision, text)
