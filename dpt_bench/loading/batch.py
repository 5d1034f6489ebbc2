"""What a loader hands to a trainer: one rank's share of a step's batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import get_worker_info

from dpt_bench.loading.augment import View
from dpt_bench.loading.source import Broken, Intact
from dpt_bench.shards.codec import STEPS


@dataclass(frozen=True)
class Batch:
    """One rank's share of a step, as a network learns from it.

    images: uint8 (B, 3, H, W), channels last in memory, to be normalised on the device.
    target: float32 (B, H, W), normalised inverse depth, 0 where invalid. valid: bool (B, H, W).
    span: float32 (B, 2), `lo` and `hi` of the image where it is metric: the inverse depth in 1/m is
        lo + target * (hi - lo). NaN elsewhere.
    dataset: int64 (B,), numbers in `names`. keys: of the samples.
    """

    images: Tensor
    target: Tensor
    valid: Tensor
    span: Tensor
    dataset: Tensor
    names: tuple[str, ...]
    keys: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, stop: int) -> Batch:
        """Samples start to stop, for gradient accumulation."""
        part: dict[str, Any] = {name: tensor[start:stop] for name, tensor in self.tensors().items()}
        return replace(self, keys=self.keys[start:stop], **part)

    def chosen(self, places: Sequence[int]) -> Batch:
        """The samples at these places."""
        chosen: dict[str, Any] = {name: tensor[list(places)] for name, tensor in self.tensors().items()}
        return replace(self, keys=tuple(self.keys[place] for place in places), **chosen)

    def tensors(self) -> dict[str, Tensor]:
        """By the names of the fields."""
        return {name: getattr(self, name) for name in ("images", "target", "valid", "span", "dataset")}


@dataclass(frozen=True)
class PackedBatch:
    """A batch as loaders deliver it: five bytes a pixel, less than half of a `Batch`, which the device unpacks.

    codes: the targets as shards hold them, the bits of uint16 in int16 (B, H, W), since few operations know uint16.
    broken: what was replaced on the way. The other fields are those of `Batch`.
    """

    images: Tensor
    codes: Tensor
    span: Tensor
    dataset: Tensor
    names: tuple[str, ...]
    keys: tuple[str, ...]
    broken: tuple[Broken, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    def to(self, device: torch.device) -> Batch:
        """The batch on a device; the copy does not wait where the memory is pinned."""
        images, codes, span, dataset = (
            tensor.to(device, non_blocking=True) for tensor in (self.images, self.codes, self.span, self.dataset)
        )
        known = (codes.int() & 0xFFFF).sub_(1)
        target = known.clamp(min=0).float().div_(STEPS)  # `dequantise`, on a CPU bit for bit
        return Batch(images, target, known >= 0, span, dataset, self.names, self.keys)

    def pin_memory(self) -> PackedBatch:
        """The batch in page-locked memory; torch's DataLoader calls this."""
        return replace(
            self,
            images=self.images.pin_memory(),
            codes=self.codes.pin_memory(),
            span=self.span.pin_memory(),
            dataset=self.dataset.pin_memory(),
        )


class Tray:
    """The memory of a batch of square views, filled view by view while each is still in the processor's cache."""

    def __init__(self, count: int, side: int) -> None:
        self._images = _numbers((count, side, side, 3), torch.uint8)
        self._codes = _numbers((count, side, side), torch.int16)
        self._into = self._images.numpy(), self._codes.numpy().view(np.uint16)
        self._dataset: list[int] = []
        self._span: list[tuple[float, float]] = []
        self._keys: list[str] = []

    def put(self, view: View, dataset: int, sample: Intact) -> None:
        """Copy the next view into its place; a mirrored one is turned on the way."""
        place = len(self._keys)
        sources: tuple[NDArray[Any], NDArray[Any]] = view.image, view.codes
        for source, into in zip(sources, self._into, strict=True):
            if view.mirrored:
                cv2.flip(source, 1, dst=into[place])  # numpy copies columns that run backwards at a tenth of the speed
            else:
                into[place] = source
        self._dataset.append(dataset)
        self._span.append(sample.span)
        self._keys.append(sample.key)

    def batch(self, names: tuple[str, ...], broken: Sequence[Broken]) -> PackedBatch:
        """The views that were put, one at least."""
        count = len(self._keys)
        return PackedBatch(
            images=self._images[:count].permute(0, 3, 1, 2),
            codes=self._codes[:count],
            span=torch.tensor(self._span, dtype=torch.float32),
            dataset=torch.tensor(self._dataset, dtype=torch.int64),
            names=names,
            keys=tuple(self._keys),
            broken=tuple(broken),
        )


def _numbers(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Numbers to be filled in; in a worker, in the memory that it shares with the caller, which saves a copy."""
    empty = torch.empty(0, dtype=dtype)
    if get_worker_info() is None:
        return empty.new_empty(shape)
    num_bytes = torch.Size(shape).numel() * empty.element_size()
    return empty.set_(torch.UntypedStorage._new_shared(num_bytes)).view(shape)  # type: ignore[no-untyped-call]
