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

CODE_BYTES, IMAGE_BYTES = 2, 3
"""Of a pixel: its target as shards hold it, and its colours."""


@dataclass(frozen=True)
class Batch:
    """One rank's share of a step, as a network learns from it.

    images: uint8 (B, 3, H, W), channels last in memory, to be normalised on the device. They may be a part of a
        `PackedBatch`'s memory, which lives as long as they do.
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

    memory: uint8 (B * H * W * 5,), first the targets as shards hold them, uint16 (B, H, W), then the images, uint8
        (B, H, W, 3). It is one piece, because a worker hands over every tensor by itself, and for each the caller
        would wait until the worker attends to it.
    size: (H, W). span: float32 (B, 2). dataset: int64 (B,). broken: what was replaced on the way. The other fields are
        those of `Batch`.
    """

    memory: Tensor
    size: tuple[int, int]
    span: NDArray[np.float32]
    dataset: NDArray[np.int64]
    names: tuple[str, ...]
    keys: tuple[str, ...]
    broken: tuple[Broken, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def codes(self) -> Tensor:
        """The bits of uint16 in int16 (B, H, W), since few operations know uint16."""
        return _planes(self.memory, len(self), self.size)[0]

    @property
    def images(self) -> Tensor:
        """uint8 (B, 3, H, W), channels last in memory."""
        return _planes(self.memory, len(self), self.size)[1].permute(0, 3, 1, 2)

    def to(self, device: torch.device) -> Batch:
        """The batch on a device; the copy of the memory does not wait where that is pinned."""
        span, dataset = (
            torch.from_numpy(numbers).to(device, non_blocking=True) for numbers in (self.span, self.dataset)
        )
        on_device = replace(self, memory=self.memory.to(device, non_blocking=True))
        known = (on_device.codes.int() & 0xFFFF).sub_(1)
        target = known.clamp(min=0).float().div_(STEPS)  # `dequantise`, on a CPU bit for bit
        return Batch(on_device.images, target, known >= 0, span, dataset, self.names, self.keys)

    def pin_memory(self) -> PackedBatch:
        """The batch in page-locked memory; torch's DataLoader calls this."""
        return replace(self, memory=self.memory.pin_memory())


class Tray:
    """The memory of a batch of square views, filled view by view while each is still in the processor's cache."""

    def __init__(self, count: int, side: int) -> None:
        self._side = side
        self._memory = _bytes(count * side * side * (CODE_BYTES + IMAGE_BYTES))
        codes, images = (plane.numpy() for plane in _planes(self._memory, count, (side, side)))
        self._into = images, codes.view(np.uint16)
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
        return PackedBatch(
            memory=self._filled(),
            size=(self._side, self._side),
            span=np.array(self._span, np.float32),
            dataset=np.array(self._dataset, np.int64),
            names=names,
            keys=tuple(self._keys),
            broken=tuple(broken),
        )

    def _filled(self) -> Tensor:
        """The memory, without the places that nothing was put into."""
        images, codes = self._into
        count = len(self._keys)
        return self._memory if count == len(images) else pack(images[:count], codes[:count])


def pack(images: NDArray[np.uint8], codes: NDArray[np.uint16]) -> Tensor:
    """The memory of a `PackedBatch`, uint8 (B * H * W * 5,), from images (B, H, W, 3) and codes (B, H, W)."""
    parts = (np.ascontiguousarray(codes).view(np.uint8), images)
    return torch.from_numpy(np.concatenate([part.reshape(-1) for part in parts]))


def _planes(memory: Tensor, count: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Views of a packed memory: int16 (B, H, W) and uint8 (B, H, W, 3)."""
    split = count * size[0] * size[1] * CODE_BYTES
    return memory[:split].view(torch.int16).view(count, *size), memory[split:].view(count, *size, IMAGE_BYTES)


def _bytes(count: int) -> Tensor:
    """Bytes to be filled in; in a worker, in the memory that it shares with the caller, which saves a copy."""
    if get_worker_info() is None:
        return torch.empty(count, dtype=torch.uint8)
    storage = torch.UntypedStorage._new_shared(count)  # type: ignore[no-untyped-call]
    return torch.empty(0, dtype=torch.uint8).set_(storage)
