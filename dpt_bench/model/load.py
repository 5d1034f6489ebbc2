"""Any network by one argument: a checkpoint of ours, weights of other projects, or the name of a variant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.model.build import build_model, filled_model
from dpt_bench.model.checkpoint import Checkpoint, is_ours, parse_checkpoint
from dpt_bench.model.dpt import DPT
from dpt_bench.model.layouts import _layout, hugging_face, ours, released
from dpt_bench.model.layouts._hugging_face_folder import read_settings, read_training, weight_files
from dpt_bench.model.layouts._layout import Layout
from dpt_bench.model.released_training import released_training
from dpt_bench.model.spec import ModelSpec, Readout
from dpt_bench.model.tensor_file import read_tensors
from dpt_bench.model.variants import VARIANTS, variant_spec

_SHOWN = 3
_TOLD_BY_FILE_NAME = ("nyu", "kitti", "deit")
_WRAPPERS = ("model", "state_dict")


class Loaded(NamedTuple):
    """A network in eval mode; trained_on: recipe names; provenance: JSON-able facts about the run."""

    model: DPT
    trained_on: tuple[str, ...] = ()
    provenance: dict[str, Any] | None = None


def load_model(path_or_name: str | Path, variant: str | None = None, readout: Readout | None = None) -> DPT:
    """A network in eval mode: (B, 3, H, W) normalised by `model.spec.mean/std` -> (B, H, W), or logits (B, C, H, W).

    Its weights are mapped from the file where its format allows it, so loading costs little, and the file must not be
    overwritten in place while the network lives: to replace it, write another and rename that, as `save_checkpoint`
    does.

    `torch.compile` compiles at the first image size, and once more, for other sizes too, at the second. On a CPU some
    sizes need a third: torch chooses between convolutions by their size. With `dynamic=False` every size is compiled.

    Args:
        path_or_name: a checkpoint of ours (its moving average where it has one); a released DPT or MiDaS file, or
            weights or a folder of transformers' DPT, which are recognised by keys and shapes; or the name of a variant,
            which comes with fresh random weights.
        variant: which one, where a file fits several. The NYU and KITTI files have the keys of DPT-Hybrid, DeiT those
            of DPT-Base; without `variant`, "nyu", "kitti" or "deit" in the file's name decides.
        readout: for files without readout weights, "ignore" or "add"; without it, the folder's config.json or such a
            word in the file's name decides.

    Raises:
        UsageError: no such file or name, or the file fits several networks.
        DataError: the file is damaged, foreign, or fits no network.
    """
    return load_with_origin(path_or_name, variant, readout).model


def load_with_origin(path_or_name: str | Path, variant: str | None = None, readout: Readout | None = None) -> Loaded:
    """As `load_model`, with what is known of its origin: ours say it, the names of released files tell it."""
    path = Path(path_or_name)
    if str(path) == path.stem and not path.exists():
        return Loaded(build_model(variant_spec(path.stem)).eval())
    if path.is_dir():
        weights: dict[str, Any] = {}
        for file in weight_files(path):
            weights.update(read_tensors(file, mapped=True))
        return Loaded(_model_of_weights(path, weights, read_settings(path), variant, readout), read_training(path))
    content = read_tensors(path, mapped=True)
    if is_ours(content):
        checkpoint = parse_checkpoint(content, path)
        return Loaded(model_of_checkpoint(checkpoint, path), checkpoint.trained_on, checkpoint.provenance)
    if hugging_face.LAYOUT.holds(content):
        beside, trained_on = read_settings(path.parent), read_training(path.parent)
        return Loaded(_model_of_weights(path, content, beside, variant, readout), trained_on)
    return Loaded(_model_of_weights(path, content, {}, variant, readout), released_training(path.stem[-8:]))


def model_of_checkpoint(checkpoint: Checkpoint, path: Path, *, ema: bool = True) -> DPT:
    """The network of a checkpoint in eval mode; its moving average where there is one, unless `ema` is False.

    Raises:
        DataError: the weights do not fit the spec; names the first keys and counts them.
    """
    weights = checkpoint.ema if ema and checkpoint.ema is not None else checkpoint.weights
    wrong = ours.LAYOUT.misfits(checkpoint.spec, weights)
    if wrong:
        raise _misfit(path, "its own model spec", wrong, "go back to an older checkpoint of the same run")
    return filled_model(checkpoint.spec, weights)


def _model_of_weights(
    path: Path, content: Mapping[str, Any], settings: dict[str, Any], variant: str | None, readout: Readout | None
) -> DPT:
    weights = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), content)
    layout = next((one for one in (released.LAYOUT, hugging_face.LAYOUT) if one.holds(weights)), None)
    if layout is None or not all(isinstance(key, str) and _is_plain(value) for key, value in weights.items()):
        raise DataError(
            "the file is neither a dpt_bench checkpoint nor released DPT or MiDaS weights",
            where=path,
            fix="give a ckpt.pt that `dpt-bench train` wrote, a file of the DPT or MiDaS releases, or a folder of "
            "transformers' DPT; networks of other kinds in transformers are `--model hf:FOLDER`",
        )
    if layout is hugging_face.LAYOUT:
        settings = hugging_face.implied(weights) | settings
    if variant is not None:  # what is asked for wins over what is stored
        settings = {name: value for name, value in settings.items() if name not in _layout.OUTPUT_ALONE}
    if readout is not None:
        settings = {**settings, "readout": readout}
    spec = _fitting_spec(path, layout, weights, settings, variant)
    return filled_model(spec, layout.ours(spec, weights))


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.device.type == "cpu" and not value.is_sparse and not value.is_quantized


def _fitting_spec(
    path: Path, layout: Layout, weights: Mapping[str, Tensor], settings: dict[str, Any], variant: str | None
) -> ModelSpec:
    fits = layout.fitting_specs(weights, settings)
    if variant is not None and variant not in fits:
        spec = variant_spec(variant).model_copy(update=settings)
        fix = f"leave out `variant`: the file fits {', '.join(fits) or 'no known network'}"
        raise _misfit(path, variant, layout.misfits(spec, weights), fix)
    if not fits:
        wrong_of = {name: layout.misfits(VARIANTS[name], weights) for name in _layout.RELEASED}
        nearest = min(wrong_of, key=lambda name: len(wrong_of[name]))
        raise _misfit(path, f"any known network; the nearest is {nearest}", wrong_of[nearest], "check the file")
    told = [name for name in fits for mark in _TOLD_BY_FILE_NAME if mark in name and mark in path.name.lower()]
    return _only_readout(path, fits[variant or (told[0] if told else next(iter(fits)))])


def _only_readout(path: Path, specs: list[ModelSpec]) -> ModelSpec:
    words = re.split(r"[^a-z]+", path.name.lower())
    told = [spec for spec in specs if spec.readout in words] if len(specs) > 1 else specs
    if len(told) != 1:
        raise UsageError(
            "the file has no readout weights, so it does not say whether its readout token is ignored or added",
            where=path,
            fix='pass readout="ignore" or readout="add"',
        )
    return told[0]


def _misfit(path: Path, what: str, wrong: list[str], fix: str) -> DataError:
    shown = "; ".join(wrong[:_SHOWN]) + (f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")
    return DataError(f"the weights do not fit {what}: {len(wrong)} keys differ: {shown}", where=path, fix=fix)
