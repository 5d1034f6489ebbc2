"""Checks one shard against its ledger: size, hash, closing blocks, order and place of samples, every member decoded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO, Any

from dpt_bench.core.errors import DataError
from dpt_bench.shards.index import ACCEPTED, Ledger, read_ledger, rows_where
from dpt_bench.shards.layout import ShardStore, ledger_name
from dpt_bench.shards.reader import RawSample, decode_sample, parse_shard


@dataclass(frozen=True)
class Problem:
    """Something wrong: in which file of which dataset ("" for the folder itself), and what to do.

    shard: the shard to make again, None where that would not help.
    """

    dataset: str
    file: str
    what: str
    fix: str
    shard: str | None = None


@dataclass
class ShardCheck:
    """What one shard holds and what is wrong with it."""

    dataset: str
    shard: str
    samples: int = 0
    num_bytes: int = 0
    ledger: Ledger | None = None
    problems: list[Problem] = field(default_factory=list)

    def complain(self, what: str) -> None:
        """Note a problem that is mended by making the shard again."""
        fix = f"remove {ledger_name(self.shard)}, then run the same build again: it makes this shard anew"
        self.problems.append(Problem(self.dataset, self.shard, what, fix, self.shard))


class _Hashing:
    """A stream that hashes and counts what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()
        self.num_bytes = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.sha256.update(data)
        self.num_bytes += len(data)
        return data


def check_shard(store: ShardStore, dataset: str, shard: str) -> ShardCheck:
    """Compare a shard with its ledger; problems are rows of the answer, not exceptions."""
    check = ShardCheck(dataset, shard)
    try:
        check.ledger = read_ledger(store, dataset, shard)
    except FileNotFoundError:
        return check  # reported once, by the comparison of the folder's files
    except DataError as error:
        check.complain(f"its ledger cannot be read: {error.what}")
        return check
    try:
        with store.open(f"{dataset}/{shard}") as stream:
            _check_bytes(check, check.ledger, _Hashing(stream), store.address(f"{dataset}/{shard}"))
    except FileNotFoundError:
        check.complain("the shard is missing, only its ledger is here")
    except DataError as error:
        check.complain(error.what)
    except OSError as error:
        fix = "check the disk or the network, then verify again"
        check.problems.append(Problem(dataset, shard, f"it cannot be read: {error}", fix))
    return check


def _check_bytes(check: ShardCheck, ledger: Ledger, stream: _Hashing, where: str) -> None:
    rows = rows_where(ledger.table, "status", ACCEPTED).to_pylist()
    for raw in parse_shard(stream, where):  # type: ignore[arg-type]  # read() is all that is needed
        check.samples += 1
        if check.samples > len(rows):
            check.complain(f"sample {raw.span.key!r} is not in the ledger")
            return
        _check_sample(check, rows[check.samples - 1], raw, where)
    check.num_bytes = stream.num_bytes
    if check.samples != len(rows) or len(rows) != ledger.record.samples:
        check.complain(f"{check.samples} samples, but the ledger has {len(rows)} and counts {ledger.record.samples}")
    elif stream.sha256.hexdigest() != ledger.record.sha256:
        check.complain("its bytes are not those that were written (sha256 differs)")


def _check_sample(check: ShardCheck, row: dict[str, Any], raw: RawSample, where: str) -> None:
    if (row["key"], row["offset"], row["length"]) != (raw.span.key, raw.span.offset, raw.span.length):
        check.complain(f"sample {raw.span.key!r} at byte {raw.span.offset} is not where the ledger has it")
        return
    sample = decode_sample(raw, where)
    if sample.image.shape[:2] != (row["height"], row["width"]):
        check.complain(f"sample {raw.span.key!r} has another size than its ledger row")
    elif row["valid_fraction"] is not None and sample.valid_fraction != row["valid_fraction"]:
        check.complain(f"sample {raw.span.key!r} has another share of valid pixels than its ledger row")
