"""ImageNet weights through timm, from the model hub or from a local file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
from torch import nn

from dpt_bench.core.errors import DptBenchError, UsageError
from dpt_bench.model.tensor_file import read_tensors

_ORIGINAL = ".npz"
_WRAPPERS = ("state_dict", "model")
_COUNTER = "num_batches_tracked"
"""Files of old PyTorch lack it."""


def load_timm_weights(module: nn.Module, name: str, file: Path | None) -> None:
    """Fill `module`, a trunk of timm's model `name`, with that model's weights.

    Raises:
        UsageError: the local file is missing or does not fit the model.
        DataError: the local file is damaged, or holds code (which is not run).
        DptBenchError: the hub cannot be reached.
    """
    missing, _ = module.load_state_dict(timm_donor(name, file).state_dict(), strict=False)
    assert not missing, f"timm's {name} lacks {missing[:3]}"


def timm_donor(name: str, file: Path | None) -> nn.Module:
    """Timm's whole model `name` with its weights, from the hub when `file` is None; raises as `load_timm_weights`."""
    if file is not None and not file.is_file():
        raise UsageError("the file of pretrained weights was not found", where=file, fix="check the path")
    overlay = None if file is None else _source(name, file)
    try:
        donor: nn.Module = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
    except (OSError, RuntimeError, LookupError, ValueError) as error:
        raise _explained(name, file, error) from error
    return donor


def _source(name: str, file: Path) -> dict[str, Any]:
    """Where timm finds the weights: the original authors' arrays in their file; tensors as we read them.

    Timm itself might run code of the file, and would leave weights that the file lacks at their random start.
    """
    if file.suffix == _ORIGINAL:
        return {"file": str(file), "custom_load": True}
    content = read_tensors(file)
    weights = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), content)
    wanted = [key for key in timm.create_model(name, num_classes=0).state_dict() if not key.endswith(_COUNTER)]
    missing = [key for key in wanted if key not in weights]
    if missing:
        raise _explained(name, file, KeyError(f"{len(missing)} of {len(wanted)} are missing, as {missing[0]}"))
    return {"state_dict": weights, "custom_load": False}


def _explained(name: str, file: Path | None, error: Exception) -> DptBenchError:
    reason = str(error.args[0]).splitlines()[0] if error.args else type(error).__name__
    if file is not None:
        return UsageError(
            f"the file does not hold weights of timm's {name}: {reason}",
            where=file,
            fix=f"give a state dict of timm's {name} (.pth, .safetensors or its original .npz)",
        )
    return DptBenchError(
        f"the pretrained weights of timm's {name} could not be fetched: {reason}",
        where="the model hub that timm uses",
        fix="check the network, or download the file elsewhere and pass its path as `pretrained`",
    )
