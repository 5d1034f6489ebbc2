"""What a user declares about a model beside its name: `model.onnx,kind=metric_depth,trained_on=nyu/kitti`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.predictors._contract import PredictorOptions

_DECLARATIONS = re.compile(r"(?:,[a-z_]+=[^,]*)+$")
_MOVES_NO_NUMBER = ("name", "kind", "trained_on")


def split_declarations(spec: str) -> tuple[str, dict[str, str]]:
    """A spec without what is declared at its end, and that by name; a path that exists declares nothing."""
    found = None if Path(spec).exists() else _DECLARATIONS.search(spec)
    if found is None:
        return spec, {}
    pairs = (text.partition("=") for text in found[0].removeprefix(",").split(","))
    return spec[: found.start()], {name: value for name, _, value in pairs}


def check_known(origin: str, options: PredictorOptions, known: Collection[str]) -> None:
    """Refuse a declaration that nobody would read.

    Raises:
        UnknownNameError: its name is none of `known`.
        UsageError: a variant is given, of which these models know nothing.
    """
    for name in options.extra:
        if name not in known:
            raise UnknownNameError(f"option of {origin} models", name, known)
    if options.variant is not None and "variant" not in known:
        raise UsageError(
            f"{origin} models have no variants",
            where=f"--variant {options.variant}",
            fix="leave it out; of several models, give it to the released file alone: FILE,variant=NAME",
        )


def declared_kind(options: PredictorOptions) -> DepthKind | None:
    """The kind that the user declares.

    Raises:
        UnknownNameError: there is no such kind.
    """
    kind = options.extra.get("kind")
    return None if kind is None else kind_named(kind)


def kind_named(kind: str) -> DepthKind:
    """A kind by its name.

    Raises:
        UnknownNameError: there is none.
    """
    try:
        return DepthKind(kind)
    except ValueError:
        raise UnknownNameError("kind of depth", kind, [one.value for one in DepthKind]) from None


def declared_name(default: str, options: PredictorOptions) -> str:
    """The name in tables: the user's or the default, and everything that moves numbers: none pass for others."""
    plain = options.extra.get("name", default)
    moved = [options.variant] if options.variant else []
    moved += [f"{name} {value}" for name, value in options.extra.items() if name not in _MOVES_NO_NUMBER]
    moved += [] if options.precision == "fp32" else [options.precision]
    return f"{plain} ({', '.join(moved)})" if moved else plain


def declared_training(options: PredictorOptions, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of the recipes a model was trained on; on a board it is marked where it is evaluated on them."""
    names = options.extra.get("trained_on")
    return default if names is None else tuple(name for name in names.split("/") if name)


def numbers(text: str, count: int, name: str) -> tuple[float, ...]:
    """`count` numbers written with slashes; one stands for all.

    Raises:
        UsageError: the text is something else.
    """
    try:
        values = [float(part) for part in text.split("/")]
    except ValueError:
        values = []
    if len(values) not in (1, count):
        raise UsageError(f"{name} must be a number, or {count} with slashes between them", where=f"{name}={text}")
    return tuple(values * count if len(values) == 1 else values)
