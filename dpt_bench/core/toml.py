"""TOML into strict pydantic models, with errors that name file, key and allowed values."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from dpt_bench.core.errors import UsageError


class Strict(BaseModel):
    """A frozen schema in which an unknown key is an error."""

    # a process builds only the schemas that it reads: all of them at once would take a worker a tenth of a second
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=True, defer_build=True)


Schema = TypeVar("Schema", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables.

    Raises:
        UsageError: the file is missing, unreadable or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError("file not found", where=path, fix="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"file cannot be read: {error}", where=path) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not valid TOML: {error}", where=path, fix="mend the line named above") from error


def load_toml(file: Path, schema: type[Schema], **given: object) -> Schema:
    """Read `file` and check it against `schema`; `given` adds fields that are not in the file, such as the name.

    Raises:
        UsageError: with one line per wrong key: its full name, what was found, what is allowed.
    """
    return check(read_toml(file), schema, where=file, **given)


def check(tables: dict[str, Any], schema: type[Schema], *, where: object, **given: object) -> Schema:
    """Validate parsed tables; see `load_toml`."""
    clash = sorted(set(tables) & set(given))
    if clash:
        raise UsageError(f"key {clash[0]!r} is set by the file's name and must not be in the file", where=where)
    try:
        return schema.model_validate({**tables, **given})
    except ValidationError as error:
        lines = [_explain(detail, schema) for detail in error.errors()]
        raise UsageError(
            f"{len(lines)} wrong {'key' if len(lines) == 1 else 'keys'}: " + "; ".join(lines),
            where=where,
            fix=f"correct the file, then check it with `dpt-bench validate {where}`",
        ) from None


def _explain(detail: ErrorDetails, schema: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in detail["loc"]) or "(file)"
    if detail["type"] == "extra_forbidden":
        known = sorted(_fields_at(schema, detail["loc"][:-1]))
        near = get_close_matches(str(detail["loc"][-1]), known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        return f"unknown key {place!r}{hint} (allowed: {', '.join(known)})"
    if detail["type"] == "missing":
        return f"missing key {place!r}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{place!r} is {detail['input']!r}: {message[0].lower()}{message[1:]}"


def _fields_at(schema: type[BaseModel], location: tuple[int | str, ...]) -> set[str]:
    current: type[BaseModel] = schema
    for part in location:
        if isinstance(part, int) or part not in current.model_fields:
            continue  # an index of a list, or a key of a table of tables: the model stays the last one found
        nested = _models_in(current.model_fields[part].annotation)
        if nested:
            current = nested[0]
    return set(current.model_fields)


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
