"""A small dataset to disturb while it is built, and the question after every fault: is anything lost, doubled, changed?"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dpt_bench.conversion import BuildOptions, BuildReport, build
from dpt_bench.shards import ShardStore, iterate_shard, open_shards, verify

PATIENCE_S = 600.0
"""How long a test waits for what must happen: a busy machine may need minutes, a hang shall not last for ever."""

BUILD = """
import sys, dpt_bench
from dpt_bench.conversion import BuildOptions
recipe, raw, out, executor, short_side, *datasets = sys.argv[1:]
options = BuildOptions(shard_size=3, max_rejected=0.3, short_side=int(short_side))
dpt_bench.build(recipe, raw, out, datasets=datasets or None, executor=executor, workers=2, options=options)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
RECIPE = """
version = 1
title = "Toy"
citation = "nobody, 2026"
licence = "CC0"
homepage = "https://example.org"
obtain = "write it yourself"
reader = "toy_reader.py"

[target]
kind = "metric_depth"
format = "npy"
sky_policy = "infinity"

[splits.train]
[splits.val]
"""


@dataclass(frozen=True)
class Trial:
    """A dataset of 8 + 2 images in 4 shards, and the place where a build of it is disturbed."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def recipe(self) -> Path:
        return self.folder / "toy.toml"

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def root(self) -> Path:
        return self.raw / "toy"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def options(self, **changes: Any) -> BuildOptions:
        return BuildOptions(**{"shard_size": 3, "max_rejected": 0.3} | changes)

    def build(self, out: Path | str | None = None, **arguments: Any) -> BuildReport:
        arguments = {"executor": "serial", "workers": 2, "options": self.options()} | arguments
        return build(self.recipe, self.raw, out or self.out, **arguments)

    def start_build(
        self,
        out: Path | str | None = None,
        *,
        executor: str = "processes",
        short_side: int = 384,
        mix: Path | None = None,
        datasets: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """The same build by a Python of its own, which says on stdout how many kB of memory it needed."""
        places = [str(path) for path in (mix or self.recipe, self.raw, out or self.out)]
        arguments = [*places, executor, str(short_side), *datasets]
        paths = os.pathsep.join(filter(None, sys.path))
        return subprocess.Popen(
            [sys.executable, "-c", BUILD, *arguments],
            env={**os.environ, "PYTHONPATH": paths, "RAY_USAGE_STATS_ENABLED": "0", **(environment or {})},
            text=True,
            **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} | options,
        )

    @staticmethod
    def words_of(build: subprocess.Popen[str]) -> tuple[str, str]:
        """Stdout and stderr of a started build, once it has ended."""
        return build.communicate(timeout=PATIENCE_S)

    def disturb(self, what: str, key: str = "anywhere", *, times: int = 1, seconds: float = 0.0) -> None:
        """Whichever process reads `key` next will "die", "wait" for some seconds, or be on "hold" until all is calm."""
        (self.folder / "disturbance.json").write_text(json.dumps([what, key, times, seconds]))

    def calm(self) -> None:
        (self.folder / "disturbance.json").unlink()

    def happened(self) -> int:
        return len(list(self.folder.glob("happened_*")))

    def wait_until_it_happens(self, times: int = 1) -> None:
        _wait_for(lambda: self.happened() >= times)

    def happens_in(self, build: subprocess.Popen[str]) -> bool:
        """Wait until something was disturbed; False where the build has ended without it."""
        _wait_for(lambda: self.happened() > 0 or build.poll() is not None)
        return build.poll() is None

    @staticmethod
    def wait_until_all_have_left(build: subprocess.Popen[str]) -> None:
        """Processes that outlive a build which had a session of its own, such as Ray's, end by themselves."""
        _wait_for(lambda: not _processes_of_session(build.pid))

    def assert_as_undisturbed(self, out: Path | str | None = None, options: BuildOptions | None = None) -> None:
        """After a fault and a rerun: the bytes of an undisturbed build, every image in a shard or rejected, none twice."""
        assert not (self.folder / "disturbance.json").exists(), "first calm, then compare"
        calm = self.folder / f"undisturbed_{next(self._numbers)}"
        self.build(calm, options=options or self.options())
        out = out or self.out
        found, expected = contents(out), contents(calm)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == []
        assert_nothing_lost(out, self.items())
        assert verify(out, workers=1).ok

    def items(self) -> list[str]:
        """The image of every item of the raw tree."""
        listed = [str(file.relative_to(self.root)) for file in self.root.rglob("*.png")]
        more = self.root / "more.txt"
        lines = more.read_text().splitlines() if more.is_file() else ()
        return listed + [line.split("\t")[1] + ".png" for line in lines]


_RAYS_AGENTS = ("(ray::DashboardA", "(ray::RuntimeEnv")
"""Names, cut off as the kernel does, of processes that run no task and live on for a minute."""


def _processes_of_session(session: int) -> list[int]:
    """Living processes of a session that may write: children belong to it, whoever is their parent (man 5 proc)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            name, _, rest = (folder / "stat").read_text().rpartition(") ")
            state, _, _, its_session = rest.split()[:4]
            if int(its_session) == session and state != "Z" and not name.endswith(_RAYS_AGENTS):
                found.append(int(folder.name))
    return found


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {PATIENCE_S:g} s"
        time.sleep(0.02)


def contents(out: Path | str) -> dict[str, bytes]:
    """Name -> bytes of all files of the shard folder; the manifest without its provenance, which names the commit."""
    store = ShardStore.at(out)
    names = [name for name, size in store.list().items() if size is not None]
    names += [f"toy/{name}" for name in store.list("toy")]
    found = {name: store.read_bytes(name) for name in names}
    manifest = json.loads(found["manifest.json"])
    del manifest["provenance"]
    return found | {"manifest.json": json.dumps(manifest).encode()}


def assert_nothing_lost(out: Path | str, items: list[str]) -> None:
    """Every image is in a shard, as the tars themselves say, or in rejected.parquet; none twice; counts are of both."""
    shards = open_shards(out)
    tars = [name for name in shards.store.list("toy") if name.endswith(".tar")]
    stored = [sample.meta["sources"][0] for tar in tars for sample in iterate_shard(shards.store, f"toy/{tar}")]
    rejected = [row["sources"][0] for row in shards.rejected("toy").to_pylist()]
    assert Counter(stored + rejected) == Counter(items)
    record = shards.manifest.datasets["toy"]
    assert (sum(record.samples.values()), record.rejected) == (len(stored), len(rejected))


def write_frame(stem: Path, seed: int) -> None:
    """A picture with a gradient of depth, a hole and a strip of sky: 40 x 52."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(20 + seed, 1, 40, dtype=np.float32)[:, None] + rng.random((40, 52), np.float32)
    depth[:5] = np.inf
    depth[10:14, 5:9] = 0
    cv2.imwrite(f"{stem}.png", rng.integers(0, 255, (40, 52, 3), dtype=np.uint8))
    np.save(f"{stem}.npy", depth)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    trial = Trial(tmp_path / "trial")
    for split, count in (("train", 8), ("val", 2)):
        (trial.root / split).mkdir(parents=True)
        for number in range(count):
            write_frame(trial.root / split / f"{'ab'[number % 2]}_{number:03d}", number)
    trial.recipe.write_text(RECIPE)
    shutil.copy(Path(__file__).with_name("toy_reader.py"), trial.folder)
    return trial
