"""Conversion against bare loops that read, decode, resize and encode with the same OpenCV and zstd calls.

The bars: 0.9 on one core, 0.92 of two loops on two, 0.95 of the serial build for Ray (its share below 5 %), 1.5 GiB a worker.
"""

from __future__ import annotations

import os
import re
import resource
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from dpt_bench.conversion import BuildOptions, build
from dpt_bench.core.catalog import RECIPES
from dpt_bench.readers import load_reader
from dpt_bench.scenes import render_scene, style_for

SCENES, COPIES = 24, int(os.environ.get("DPT_BENCH_COPIES", "42"))
COUNT = SCENES * COPIES
LOOP = Path(__file__).with_name("bare_loop.py")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TartanAir at its native 640 x 480: as many images as a shard has, a few scenes linked under many numbers."""
    folder = tmp_path_factory.mktemp("bench")
    recipe = RECIPES.load("tartanair")
    style = style_for("tartanair").at_size(480, 640)
    scenes = (render_scene(style, 0, index) for index in range(SCENES))
    load_reader(recipe).write_example(folder / "tartanair", recipe, scenes)
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        for copy in range(1, COPIES):
            twin = re.sub(r"\d{6}(?=_left)", lambda frame, copy=copy: f"{int(frame[0]) + 1000 * copy:06d}", file.name)
            if twin != file.name:
                file.with_name(twin).hardlink_to(file)
    return folder


class Builds:
    """Builds of the same tree, each into a folder of its own."""

    def __init__(self, raw: Path, folder: Path) -> None:
        self.raw, self.folder, self.number = raw, folder, 0

    def __call__(self, executor: str = "serial", workers: int = 1, shard_size: int = COUNT) -> None:
        self.number += 1
        out = self.folder / str(self.number)
        options = BuildOptions(shard_size=shard_size)
        build("mix6", self.raw, out, datasets=["tartanair"], executor=executor, workers=workers, options=options)


@pytest.fixture
def builds(raw: Path, tmp_path: Path) -> Builds:
    return Builds(raw, tmp_path)


def test_one_core(raw: Path, builds: Builds, compare) -> None:
    loop = runpy.run_path(str(LOOP))
    files = loop["pairs"](raw)
    assert len(files) == COUNT
    what = f"build, {COUNT} images of 640 x 480, one core"
    assert compare(what, builds, "decode + resize + encode alone", lambda: loop["bare_loop"](files), rounds=3) > 0


def test_two_cores(raw: Path, builds: Builds, compare) -> None:
    """Both sides start two Python processes; a worker's memory is bounded."""

    def loops() -> None:
        commands = [[sys.executable, str(LOOP), str(raw), str(first), "2"] for first in range(2)]
        for process in [subprocess.Popen(command) for command in commands]:
            assert process.wait() == 0

    ours = lambda: builds("processes", 2, COUNT // 2)  # noqa: E731
    what = f"build, {COUNT} images, two processes"
    assert compare(what, ours, "two bare loops in two processes", loops, rounds=3) > 0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"\nthe largest process needed {peak / 1024:,.0f} MiB")
    assert peak < 1.5 * 1024**2


def test_ray(builds: Builds, compare, ray_cluster: None) -> None:
    """One CPU, so that what Ray itself costs is all that differs."""
    ours = lambda: builds("ray", 1)  # noqa: E731
    assert compare(f"build, {COUNT} images, Ray with one worker", ours, "the serial build", builds, rounds=3) > 0


MANY = int(os.environ.get("DPT_BENCH_MANY", "1400000"))
PLAN = """
import sys
from pathlib import Path
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import plan_dataset
from dpt_bench.core.mix import Member
from dpt_bench.core.catalog import RECIPES
from dpt_bench.readers import load_reader, wsvd

name, root, many, what = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
def files_below(root):
    for clip in range(many // 200):
        for folder, endings in (("frames", ("_left.png", "_right.png")), ("flow_fw", (".flo",)), ("flow_bw", (".flo",))):
            for frame in range(200):
                for ending in endings:
                    yield f"{folder}/train/video{clip // 3:06d}_{clip % 3}/{frame:06d}{ending}"
wsvd.files_below = files_below
recipe = RECIPES.load(name)
if what == "plan":
    plan = plan_dataset(recipe, root, Member(recipe=name), BuildOptions())
    assert plan.identity.items["train"].count == many // 200 * 200
else:
    assert load_reader(recipe).list(root, recipe, "train").num_rows == many // 200 * 200
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
READER = """
import pyarrow as pa


class Reader:
    def list(self, root, recipe, split):
        number = {many} if split == "train" else 0
        keys = [f"environment{{n // 50_000}}/Hard/P{{n // 1000:06d}}/{{n:07d}}" for n in range(number)]
        files = [[f"images/{{key}}_left.png", f"depth/{{key}}_left_depth.npy"] for key in keys]
        scenes = [key[:-8] for key in keys]
        columns = [pa.array(keys, pa.string()), pa.array(scenes, pa.string()), pa.array(files, pa.list_(pa.string()))]
        return pa.table(columns, ["key", "scene", "files"])
"""


@pytest.mark.parametrize("dataset", ["many", "wsvd"])
def test_planning(dataset: str, tmp_path: Path, compare) -> None:
    """The bars: below a minute and below 2 GiB for 1.4 million items, listing of the file system apart."""
    many = MANY // 200 * 200
    name = dataset
    if dataset == "many":
        (tmp_path / "reader.py").write_text(READER.format(many=many))
        facts = 'version=1\ntitle=""\ncitation=""\nlicence=""\nhomepage=""\nobtain=""\nreader="reader.py"\n'
        target = '[target]\nkind="metric_depth"\nformat="npy"\n[splits.train]\n[splits.val]\n'
        (tmp_path / "many.toml").write_text(facts + target)
        name = str(tmp_path / "many.toml")
    peaks: list[int] = []

    def run(what: str) -> None:
        command = [sys.executable, "-c", PLAN, name, str(tmp_path), str(many), what]
        peaks.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    ours, listing = (lambda: run("plan")), (lambda: run("list"))
    assert compare(f"plan of {many:,} items ({dataset})", ours, "the reader's listing alone", listing, rounds=1) > 0
    print(f"\n{dataset}: a plan of {many:,} items peaks at {max(peaks) / 1024:,.0f} MiB")
    assert max(peaks) < 2 * 1024**2
