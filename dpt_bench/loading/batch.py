"""What a loader hands to a trainer: one rank's share of a step's batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dpt_bench.loading.augment import View


@dataclass(frozen=True)
class Broken:
    """A sample that could not be read and was replaced by the next one of its dataset."""

    dataset: str
    key: str
    message: str


@dataclass(frozen=True)
class Batch:
    """One rank's share of a step.

    images: uint8 (B, 3, H, W), channels last in memory, to be normalised on the device.
    target: float32 (B, H, W), normalised inverse depth, 0 where invalid.
    valid, sky: bool (B, H, W); sky is within valid.
    dataset: int64 (B,), numbers in `names`. keys: of the samples. broken: what was replaced on the way.
    """

    images: Tensor
    target: Tensor
    valid: Tensor
    sky: Tensor
    dataset: Tensor
    names: tuple[str, ...]
    keys: tuple[str, ...]
    broken: tuple[Broken, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    def to(self, device: torch.device) -> Batch:
        """The batch on a device; the copy does not wait where the memory is pinned."""
        return self._map({name: tensor.to(device, non_blocking=True) for name, tensor in self._tensors().items()})

    def pin_memory(self) -> Batch:
        """The batch in page-locked memory; torch's DataLoader calls this."""
        return self._map({name: tensor.pin_memory() for name, tensor in self._tensors().items()})

    def part(self, start: int, stop: int) -> Batch:
        """Samples start to stop, for gradient accumulation."""
        part = self._map({name: tensor[start:stop] for name, tensor in self._tensors().items()})
        return replace(part, keys=self.keys[start:stop])

    def with_broken(self, broken: tuple[Broken, ...]) -> Batch:
        return replace(self, broken=broken)

    def _tensors(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in ("images", "target", "valid", "sky", "dataset")}

    def _map(self, tensors: dict[str, Tensor]) -> Batch:
        return replace(
            self,
            images=tensors["images"],
            target=tensors["target"],
            valid=tensors["valid"],
            sky=tensors["sky"],
            dataset=tensors["dataset"],
        )


def collate(views: Sequence[View], dataset: Sequence[int], keys: Sequence[str], names: tuple[str, ...]) -> Batch:
    """Stack views of one size into a batch."""
    target = torch.from_numpy(np.stack([view.target for view in views]))
    valid = ~torch.isnan(target)
    return Batch(
        images=torch.from_numpy(np.stack([view.image for view in views])).permute(0, 3, 1, 2),
        target=torch.where(valid, target, 0.0),
        valid=valid,
        sky=torch.from_numpy(np.stack([view.sky for view in views])) & valid,
        dataset=torch.tensor(dataset, dtype=torch.int64),
        names=names,
        keys=tuple(keys),
    )
