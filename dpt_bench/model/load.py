"""Any network by one argument: a checkpoint of ours, a released DPT or MiDaS file, or the name of a variant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.model.build import build_model, empty_model, filled_model
from dpt_bench.model.checkpoint import Checkpoint, is_ours, parse_checkpoint
from dpt_bench.model.dpt import DPT
from dpt_bench.model.official import RELEASED, fitting_specs, misfits, official_weights, renamed
from dpt_bench.model.spec import ModelSpec, Readout
from dpt_bench.model.tensor_file import read_tensors
from dpt_bench.model.variants import VARIANTS, variant_spec

_SHOWN = 3
_TOLD_BY_FILE_NAME = ("nyu", "kitti", "deit")


def load_model(path_or_name: str | Path, variant: str | None = None, readout: Readout | None = None) -> DPT:
    """A network in eval mode: (B, 3, H, W) normalised by `model.spec.mean/std` -> (B, H, W), or logits (B, C, H, W).

    Args:
        path_or_name: a checkpoint of ours (its moving average where it has one); a released DPT or MiDaS file, which is
            recognised by keys and shapes; or the name of a variant, which comes with fresh random weights.
        variant: which one, where a released file fits several. The NYU and KITTI files have the keys of DPT-Hybrid,
            DeiT those of DPT-Base; without `variant`, "nyu", "kitti" or "deit" in the file's name decides.
        readout: for files without readout weights, "ignore" or "add".

    Raises:
        UsageError: no such file or name, or the file fits several networks.
        DataError: the file is damaged, foreign, or fits no network.
    """
    path = Path(path_or_name)
    if str(path) == path.stem and not path.is_file():
        return build_model(variant_spec(path.stem)).eval()
    content = read_tensors(path)
    if is_ours(content):
        return model_of_checkpoint(parse_checkpoint(content, path), path)
    weights = official_weights(content)
    if weights is None:
        raise DataError(
            "the file is neither a dpt_bench checkpoint nor released DPT or MiDaS weights",
            where=path,
            fix="give a ckpt.pt that `dpt-bench train` wrote, or a file from the DPT or MiDaS releases",
        )
    spec = _released_spec(path, weights, variant, readout)
    return filled_model(spec, renamed(weights, spec))


def model_of_checkpoint(checkpoint: Checkpoint, path: Path, *, ema: bool = True) -> DPT:
    """The network of a checkpoint in eval mode; its moving average where there is one, unless `ema` is False.

    Raises:
        DataError: the weights do not fit the spec; names the first keys and counts them.
    """
    weights = checkpoint.ema if ema and checkpoint.ema is not None else checkpoint.weights
    wanted = {key: value.shape for key, value in empty_model(checkpoint.spec).state_dict().items()}
    wrong = [f"{key} is missing" for key in wanted if key not in weights]
    wrong += [f"{key} is unexpected" for key in weights if key not in wanted]
    wrong += [
        f"{key} is {tuple(weights[key].shape)}, not {tuple(shape)}"
        for key, shape in wanted.items()
        if key in weights and weights[key].shape != shape
    ]
    if wrong:
        raise _misfit(path, "its own model spec", wrong, "go back to an older checkpoint of the same run")
    return filled_model(checkpoint.spec, weights)


def _released_spec(
    path: Path, weights: Mapping[str, Tensor], variant: str | None, readout: Readout | None
) -> ModelSpec:
    fits = fitting_specs(weights, readout)
    if variant is not None and variant not in fits:
        spec = variant_spec(variant)
        wrong = misfits(spec if readout is None else spec.model_copy(update={"readout": readout}), weights)
        raise _misfit(
            path, variant, wrong, f"leave out `variant`: the file fits {', '.join(fits) or 'no known network'}"
        )
    if not fits:
        wrong_of = {name: misfits(VARIANTS[name], weights) for name in RELEASED}
        nearest = min(wrong_of, key=lambda name: len(wrong_of[name]))
        raise _misfit(path, f"any known network; the nearest is {nearest}", wrong_of[nearest], "check the file")
    told = [name for name in fits for mark in _TOLD_BY_FILE_NAME if mark in name and mark in path.stem.lower()]
    return _only_readout(path, fits[variant or (told[0] if told else next(iter(fits)))])


def _only_readout(path: Path, specs: list[ModelSpec]) -> ModelSpec:
    if len(specs) > 1:
        raise UsageError(
            "the file has no readout weights, so it does not say whether its readout token is ignored or added",
            where=path,
            fix='pass readout="ignore" or readout="add"',
        )
    return specs[0]


def _misfit(path: Path, what: str, wrong: list[str], fix: str) -> DataError:
    shown = "; ".join(wrong[:_SHOWN]) + (f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")
    return DataError(f"the weights do not fit {what}: {len(wrong)} keys differ: {shown}", where=path, fix=fix)
