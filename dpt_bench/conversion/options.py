"""What a user may set for a build, and which of it determines the bytes of the shards."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Member
from dpt_bench.shards.records import Options

ShortSide = int | Literal["native"]


@dataclass(frozen=True)
class SampleOptions:
    """How one sample is converted. short_side: pixels of the shorter side, never enlarged, or "native"."""

    short_side: ShortSide = 384
    jpeg_quality: int = 95

    def __post_init__(self) -> None:
        if self.short_side != "native" and self.short_side < 32:
            raise UsageError(f"short_side must be at least 32 or 'native', got {self.short_side}")
        if not 1 <= self.jpeg_quality <= 100:
            raise UsageError(f"jpeg_quality must be 1 to 100, got {self.jpeg_quality}")


@dataclass(frozen=True)
class BuildOptions:
    """All options of a build; `sample`, `shard_size` and `seed` determine the bytes, the others do not.

    max_rejected: share of a dataset's items that may be rejected. allow_missing: datasets that are not under raw/ are
    no failure. retry_rejected: convert shards with rejected items again, after the raw files were mended.
    """

    short_side: ShortSide = 384
    jpeg_quality: int = 95
    shard_size: int = 1000
    seed: int = 0
    max_rejected: float = 0.05
    allow_missing: bool = False
    retry_rejected: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        _ = self.sample
        if self.shard_size < 1:
            raise UsageError(f"shard_size must be at least 1, got {self.shard_size}")
        if not 0 <= self.max_rejected <= 1:
            raise UsageError(f"max_rejected is a share from 0 to 1, got {self.max_rejected}")

    @property
    def sample(self) -> SampleOptions:
        return SampleOptions(self.short_side, self.jpeg_quality)

    def shared(self) -> Options:
        """What must be the same for all datasets of one shard folder."""
        return {**asdict(self.sample), "shard_size": self.shard_size, "seed": self.seed}

    def of_member(self, member: Member) -> Options:
        """What determines the bytes of one dataset."""
        return {**self.shared(), "stride": member.stride, "max_images": member.max_images}
