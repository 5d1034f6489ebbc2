"""Folders of transformers: which files hold the weights, and what config.json says of a DPT that no key tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from pydantic import Field, ValidationError

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.toml import Strict
from dpt_bench.model.spec import Readout, Rgb, parse_spec

SPEC_KEY, TRAINED_ON_KEY = "dpt_bench_spec", "dpt_bench_trained_on"
"""In the config.json of a folder that we wrote: the network's ModelSpec, and names of recipes."""

_OUTPUT = ("kind", "scale", "shift", "invert", "input_size", "input_rule", "train_size")
"""Fields of a stored spec that transformers has no place for."""
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_INDEX = ".index.json"


class Config(Strict, extra="ignore"):
    """What matters of a config.json; the defaults are those of transformers, which leaves defaults out."""

    model_type: str
    is_hybrid: bool = False
    readout_type: Readout = "project"
    backbone_out_indices: tuple[int, ...] | None = (2, 5, 8, 11)
    num_hidden_layers: int = 12
    layer_norm_eps: float = Field(default=1e-12, gt=0)
    hidden_act: str = "gelu"
    head_in_index: int = -1
    dpt_bench_spec: dict[str, Any] | None = None
    dpt_bench_trained_on: tuple[str, ...] = ()


class Processor(Strict, extra="ignore"):
    """What matters of a preprocessor_config.json."""

    image_mean: Rgb | None = None
    image_std: Rgb | None = None
    size: dict[str, int] | int | None = None


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the folder's weights: safetensors rather than pickles, in several parts or whole.

    Raises:
        UsageError: there are none.
        DataError: the index of the parts is damaged.
    """
    for name in _WHOLE:
        if (folder / name).is_file():
            return [folder / name]
        index = folder / (name + _INDEX)
        if index.is_file():
            parts = _json(index).get("weight_map", {})
            if not isinstance(parts, dict) or not all(isinstance(part, str) for part in parts.values()):
                raise DataError("the index does not say where the weights are", where=index)
            return [folder / Path(part).name for part in sorted(set(parts.values()))]
    raise UsageError(
        f"the folder holds no weights: neither {' nor '.join(_WHOLE)}",
        where=folder,
        fix="give the folder that transformers' save_pretrained wrote, or a snapshot of the hub",
    )


def read_settings(folder: Path) -> dict[str, Any]:
    """Fields of the ModelSpec that config.json and preprocessor_config.json tell; none where these are missing.

    Raises:
        DataError: a file is damaged, or describes another network than a DPT on a ViT or its hybrid.
    """
    file = folder / "config.json"
    if not file.is_file():
        return {}
    config = _checked(Config, file)
    if config.model_type != "dpt" or config.backbone_out_indices is None or config.hidden_act != "gelu":
        raise DataError(
            f"the folder holds {_described(config)}, not a DPT on a vision transformer or its hybrid",
            where=file,
            fix=f"let transformers run it: --model hf:{folder}",
        )
    hooks = config.backbone_out_indices[2:] if config.is_hybrid else config.backbone_out_indices
    settings = {"readout": config.readout_type, "hooks": hooks, "layer_norm_eps": config.layer_norm_eps}
    count, inside = 2 if config.is_hybrid else 4, range(config.num_hidden_layers)
    if list(hooks) != sorted(set(hooks)) or len(hooks) != count or not all(hook in inside for hook in hooks):
        raise DataError(f"backbone_out_indices cannot be {config.backbone_out_indices}", where=file)
    settings |= _preprocessing(folder / "preprocessor_config.json")
    if config.dpt_bench_spec is not None:
        spec = parse_spec(config.dpt_bench_spec, file)
        settings |= {name: getattr(spec, name) for name in _OUTPUT}
    return settings


def read_training(folder: Path) -> tuple[str, ...]:
    """Names of the recipes that the network of a folder was trained on, where we wrote the folder and knew them."""
    file = folder / "config.json"
    trained_on: tuple[str, ...] = _checked(Config, file).dpt_bench_trained_on if file.is_file() else ()
    return trained_on


def _described(config: Config) -> str:
    if config.model_type != "dpt":
        return f"a {config.model_type!r} network"
    return f"a DPT on another backbone (hidden_act {config.hidden_act!r})"


def _preprocessing(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    processor = _checked(Processor, file)
    side = processor.size.get("height") if isinstance(processor.size, dict) else processor.size
    found = {"mean": processor.image_mean, "std": processor.image_std}
    found_side = {"train_size": side} if side and side >= 32 and side % 32 == 0 else {}
    return {key: value for key, value in found.items() if value is not None} | found_side


def _checked(kind: type[Any], file: Path) -> Any:
    try:
        return kind.model_validate(_json(file))
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{file}: {'.'.join(map(str, first['loc']))}"
        raise DataError(f"the file says what no DPT has: {first['msg']}", where=where) from error


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("the file is not JSON", where=file, fix="download it again") from error
    if not isinstance(content, dict):
        raise DataError("the file is not a JSON object", where=file, fix="download it again")
    return cast("dict[str, Any]", content)
