"""ImageNet weights through timm, from the model hub or from a local file."""

from __future__ import annotations

from pathlib import Path

import timm
from torch import nn

from dpt_bench.core.errors import DptBenchError, UsageError


def load_timm_weights(module: nn.Module, name: str, file: Path | None) -> None:
    """Fill `module`, a trunk of timm's model `name`, with that model's weights.

    Raises:
        UsageError: the local file is missing or does not fit the model.
        DptBenchError: the hub cannot be reached.
    """
    if file is not None and not file.is_file():
        raise UsageError("the file of pretrained weights was not found", where=file, fix="check the path")
    try:
        overlay = None if file is None else {"file": str(file)}
        donor = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
    except (OSError, RuntimeError) as error:
        raise _explained(name, file, error) from error
    missing, _ = module.load_state_dict(donor.state_dict(), strict=False)
    assert not missing, f"timm's {name} lacks {missing[:3]}"


def _explained(name: str, file: Path | None, error: Exception) -> DptBenchError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
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
