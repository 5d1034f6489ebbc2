"""Conversion against bare loops that read, decode, resize and encode with the same OpenCV and zstd calls.

The bars: 0.9 on one core, 0.92 of two loops on two, 0.95 of the serial build for Ray (its share below 5 %), 1.5 GiB a worker.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dpt_bench.conversion import BuildOptions, build
from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.mix import Member, Mix
from dpt_bench.core.progress import Silent
from dpt_bench.readers import load_reader
from dpt_bench.scenes import render_scene, style_for

SCENES, COPIES = 24, int(os.environ.get("DPT_BENCH_COPIES", "42"))
ROUNDS = int(os.environ.get("DPT_BENCH_ROUNDS", "3"))
COUNT = SCENES * COPIES
FEW = SCENES
LOOP = Path(__file__).with_name("bare_loop.py")
Descendants = Iterator[tuple[int, list[str]]]


@pytest.fixture(scope="module", autouse=True)
def say_what_can_be_set() -> Iterator[None]:
    yield
    settings = {"DPT_BENCH_ROUNDS": ROUNDS, "DPT_BENCH_COPIES": COPIES, "DPT_BENCH_MANY": MANY}
    print("\nset for more: " + " ".join(f"{name}={value}" for name, value in settings.items()), end="")
    print(f" (times that each side runs; {SCENES} images a copy; items to plan)")


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
    """Builds of the same tree, or of `images` of its training split, each into a folder of its own."""

    def __init__(self, raw: Path, folder: Path) -> None:
        self.raw, self.folder, self.number = raw, folder, 0

    def __call__(
        self,
        executor: str = "serial",
        workers: int = 1,
        shard_size: int = COUNT,
        *,
        images: int | None = None,
        progress: Silent | None = None,
    ) -> None:
        self.number += 1
        about = {"name": "bench", "version": 1, "title": "", "citation": ""}
        build(
            Mix(**about, members=(Member(recipe="tartanair", max_images=images),)),
            self.raw,
            self.folder / str(self.number),
            executor=executor,
            workers=workers,
            options=BuildOptions(shard_size=shard_size),
            progress=progress or Silent(),
        )


@pytest.fixture
def builds(raw: Path, tmp_path: Path) -> Builds:
    return Builds(raw, tmp_path)


def test_one_core(raw: Path, builds: Builds, compare) -> None:
    loop = runpy.run_path(str(LOOP))
    files = loop["pairs"](raw)
    assert len(files) == COUNT
    what = f"build, {COUNT} images of 640 x 480, one core"
    bare = lambda: loop["bare_loop"](files)  # noqa: E731
    assert compare(what, builds, "decode + resize + encode alone", bare, ROUNDS, lambda: builds(images=FEW)) > 0


def test_two_cores(raw: Path, builds: Builds, compare) -> None:
    """Both sides start two Python processes."""

    def loops() -> None:
        commands = [[sys.executable, str(LOOP), str(raw), str(first), "2"] for first in range(2)]
        for process in [subprocess.Popen(command) for command in commands]:
            assert process.wait() == 0

    ours = lambda: builds("processes", 2, COUNT // 2)  # noqa: E731
    what = f"build, {COUNT} images, two processes"
    warm_up = lambda: builds("processes", 2, images=FEW)  # noqa: E731
    assert compare(what, ours, "two bare loops in two processes", loops, ROUNDS, warm_up) > 0


def test_ray(builds: Builds, compare, ray_cluster: None) -> None:
    """One CPU, so that what Ray itself costs is all that differs."""
    ours = lambda: builds("ray", 1)  # noqa: E731
    what = f"build, {COUNT} images, Ray with one worker"
    warm_up = lambda: builds("ray", 1, images=FEW)  # noqa: E731
    assert compare(what, ours, "the serial build", builds, ROUNDS, warm_up) > 0


class _Peaks(Silent):
    """The most memory that each worker has ever held, in kB, as the kernel says whenever a shard is done."""

    def __init__(self, descendants: Callable[[], Descendants]) -> None:
        self.descendants = descendants
        self.kilobytes: dict[int, int] = {}
        self.images = 0

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        if task != "convert":
            return
        self.images += steps
        for process, _ in self.descendants():
            folder = Path("/proc", str(process))
            if b"dpt_bench.conversion.worker" in (folder / "cmdline").read_bytes():
                lines = (folder / "status").read_text().splitlines()
                # of the program alone: getrusage would begin with the memory of the process that started it
                peak = next(line for line in lines if line.startswith("VmHWM"))
                self.kilobytes[process] = int(peak.split()[1])


def test_the_memory_of_a_worker(builds: Builds, descendants: Callable[[], Descendants]) -> None:
    """Below 1.5 GiB, and four times as many images need no more, but for what an allocator keeps."""
    runs: list[tuple[int, int]] = []
    for images in (COUNT // 8, None):
        progress = _Peaks(descendants)
        builds("processes", 1, COUNT // 8, images=images, progress=progress)
        (peak,) = progress.kilobytes.values()
        runs.append((progress.images, peak))
        print(f"\nthe worker that converted {progress.images} images peaked at {peak / 1024:,.0f} MiB", end="")
    (some, peak_of_some), (all_of_them, peak_of_all) = runs
    assert all_of_them == COUNT
    assert some < COUNT / 3
    assert peak_of_all < 1.5 * 1024**2
    assert peak_of_all < peak_of_some + 32 * 1024


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
    what = f"plan of {many:,} items ({dataset})"
    assert compare(what, ours, "the reader's listing alone", listing, rounds=1, warm_up=lambda: None) > 0
    print(f"\n{dataset}: a plan of {many:,} items peaks at {max(peaks) / 1024:,.0f} MiB")
    assert max(peaks) < 2 * 1024**2
