"""From what a user types after --model to a predictor: `PREFIX:ARGUMENT`, or a path; `,name=value` may follow."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from dpt_bench.core.catalog import load_plugin, plugin_names
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.predictors._contract import Predictor, PredictorOptions
from dpt_bench.predictors._declared import split_declarations

_PACKAGE = "dpt_bench.predictors"
_FILE_ENDINGS = (".pt", ".pth", ".ckpt", ".safetensors")
_OF_ENDING = {".onnx": "onnx", ".py": "python"}
_OF_FOLDER_WITH = {"predictions.toml": "predictions", "config.json": "hf"}


def load_predictor(spec: str, options: PredictorOptions | None = None) -> Predictor:
    """The predictor that `spec` names: call it with an RGB uint8 (H, W, 3) image for float32 (H, W) of its `kind`.

    `baseline:constant` calls `load("constant", options)` of the module predictors/baseline.py; a path needs no prefix.
    What a model's file does not tell may follow: `model.onnx,kind=metric_depth,trained_on=nyu`. options: device,
    precision, batch size, variant; on a CPU in float32 without them.

    Raises:
        UnknownNameError: no predictor has the prefix, or what follows it is unknown.
        UsageError: the file is missing, or nothing follows the prefix.
        DataError: the checkpoint is damaged.
    """
    given = options or PredictorOptions()
    rest, declared = split_declarations(spec)
    prefix, argument = _split(rest)
    module = load_plugin(_PACKAGE, prefix, kind="predictor")
    predictor: Predictor = module.load(argument, replace(given, extra={**given.extra, **declared}))
    return predictor


def _split(spec: str) -> tuple[str, str]:
    prefixes = plugin_names(_PACKAGE)
    prefix, colon, argument = spec.partition(":")
    if prefix in prefixes and not Path(spec).is_file():
        if not argument:
            raise UsageError(f"nothing follows the predictor {prefix!r}", where=spec, fix=f"write {prefix}:WHAT")
        return prefix, argument
    if Path(spec).is_file():
        return _OF_ENDING.get(Path(spec).suffix, "checkpoint"), spec
    for file, its_prefix in _OF_FOLDER_WITH.items():
        if spec and (Path(spec) / file).is_file():
            return its_prefix, spec
    if colon and not Path(spec).parent.name and not spec.endswith(_FILE_ENDINGS):
        raise UnknownNameError("predictor", prefix, prefixes)
    found = "no such checkpoint file" if spec.endswith(_FILE_ENDINGS) else "no such model"
    raise UsageError(f"{found}: {spec or 'nothing was given'}", where=spec, fix=_hint(spec, prefixes))


def _hint(spec: str, prefixes: list[str]) -> str:
    folder = Path(spec) if Path(spec).is_dir() else Path(spec).parent
    files = [str(file) for ending in _FILE_ENDINGS for file in sorted(folder.glob(f"*{ending}"))]
    near = get_close_matches(spec, [*files, "baseline:constant", "baseline:ramp", "baseline:ground"], n=3)
    meant = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"{meant}give a checkpoint file, or one of {', '.join(f'{name}:WHAT' for name in prefixes)}"
