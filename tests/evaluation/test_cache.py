"""Predictions that are kept: the same numbers without the network, and never those of something else."""

from __future__ import annotations

import importlib.util
import multiprocessing
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import dpt_bench
from dpt_bench import evaluate
from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import Camera
from dpt_bench.core.suite import ResizeRule
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.evaluation.cache import PREDICTING, CachedPredictor, PredictionCache, cached
from dpt_bench.predictors import Prediction, Query, load_predictor
from dpt_bench.predictors._sizes import InputSize

RULE = ResizeRule(side="longer")
IMAGE = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("??/*.prediction"))


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("results.parquet", "summary.csv")]


def options(folder: Path, **more) -> EvaluationOptions:
    return EvaluationOptions(cache=folder, panels=1, **more)


def test_another_suite_scores_without_the_network(world, make_fake, tmp_path) -> None:
    """Trap 22 the right way round: what is cached is exactly what would be predicted."""
    other = world.folder / "other.toml"
    other.write_text(world.suite.read_text().replace("cap_m = 10.0", "cap_m = 5.0"))
    evaluate(make_fake(), world.suite, world.data, tmp_path / "a", options=options(tmp_path / "cache"))
    assert len(entries(tmp_path / "cache")) == len(world.arrays)
    fake = make_fake()
    report = evaluate(fake, other, world.data, tmp_path / "b", options=options(tmp_path / "cache"))
    assert fake.asked == []
    assert report.n_cached >= report.n_new == len(world.arrays)
    evaluate(make_fake(), other, world.data, tmp_path / "c", options=EvaluationOptions(panels=0))
    assert tables(tmp_path / "b") == tables(tmp_path / "c")


def test_changed_pixels_are_predicted_again(world, make_fake, tmp_path) -> None:
    """Trap 22: a reader or a file that changed under the same name must not be served the old prediction."""
    evaluate(make_fake(), world.suite, world.data, tmp_path / "a", options=options(tmp_path / "cache"))
    key = world.keys("inside")[0]
    image, depth_m = world.arrays["inside", key]
    world.add("inside", key, image[:, :, ::-1].copy(), depth_m)  # BGR for RGB
    fake = make_fake()
    evaluate(fake, world.suite, world.data, tmp_path / "b", options=options(tmp_path / "cache"))
    assert set(fake.asked) == {("inside", key)}


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"checkpoint_sha256": "34" * 32}},
        {"model": {"name": "other"}},
        {"model": {"kind": DepthKind.METRIC_DEPTH}},
        {"rule": ResizeRule(side="shorter")},
        {"image": IMAGE[::-1]},
        {"image": IMAGE.reshape(5, 4, 3)},
        {"key": "b"},
        {"dataset": "b"},
        {"camera": Camera(1, 1, 2, 2)},
        {"settings": {"precision": "bf16"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_moves_a_prediction_is_in_the_name(change, make_fake, tmp_path) -> None:
    base = PredictionCache(tmp_path, 10**6, {"precision": "fp32"})
    query = Query(IMAGE, "a", "a")
    name = base.name(make_fake(), query, RULE)
    assert name == PredictionCache(tmp_path, 5, {"precision": "fp32"}).name(
        make_fake(), Query(IMAGE.copy(), "a", "a"), RULE
    )
    facts = {"model": {}, "rule": RULE, "image": IMAGE, "key": "a", "dataset": "a", "camera": None, **change}
    cache = PredictionCache(tmp_path, 10**6, facts.get("settings", {"precision": "fp32"}))
    other = Query(facts["image"], facts["dataset"], facts["key"], facts["camera"])
    assert cache.name(make_fake(**facts["model"]), other, facts["rule"]) != name


def test_another_version_of_a_library_is_another_entry(make_fake, tmp_path, monkeypatch) -> None:
    cache = PredictionCache(tmp_path, 10**6)
    name = cache.name(make_fake(), Query(IMAGE), RULE)
    monkeypatch.setattr("dpt_bench.evaluation.cache._library_versions", lambda: {"transformers": "0"})
    assert cache.name(make_fake(), Query(IMAGE), RULE) != name


def test_other_code_is_another_entry(make_fake, tmp_path, monkeypatch) -> None:
    """An edit that is not committed too: a name of the commit alone would serve its old predictions."""
    cache = PredictionCache(tmp_path, 10**6)
    name = cache.name(make_fake(), Query(IMAGE), RULE)
    monkeypatch.setattr("dpt_bench.evaluation.cache.sources_sha256", lambda *parts: "another")
    assert cache.name(make_fake(), Query(IMAGE), RULE) != name


def test_the_code_of_a_predictor_of_the_users_is_in_the_name(tmp_path, monkeypatch) -> None:
    names = set()
    for number in (1, 2):
        file = tmp_path / f"model{number}.py"
        file.write_text(
            f"class Mine:\n    name, kind, preprocessing, checkpoint_sha256 = 'a', 'affine_depth', 'own', 'b'\n"
            f"    def input_words(self, rule): return 'as they are'  # edit {number}\n"
        )
        spec = importlib.util.spec_from_file_location("mine", file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "mine", module)
        spec.loader.exec_module(module)
        names.add(PredictionCache(tmp_path, 10**6).name(module.Mine(), Query(IMAGE), RULE))
    assert len(names) == 2


def test_all_code_that_predicts_is_in_the_name() -> None:
    """Whatever the predictors import of the package, at any depth, belongs to PREDICTING."""
    root = Path(dpt_bench.__file__).parent
    sources = [root / "resize.py", *(file for part in ("predictors", "model") for file in (root / part).rglob("*.py"))]
    imported = {
        name.split(".")[1]
        for file in sources
        for name in re.findall(r"^\s*(?:from|import) (dpt_bench\.\S+)", file.read_text(), re.MULTILINE)
    }
    assert {"core", "model", "predictors"} <= imported <= {part.removesuffix(".py") for part in PREDICTING}


def test_a_network_of_another_size_is_asked_again_for_another_rule(make_fake, tmp_path) -> None:
    """midas and midas-minimal bring an image to other pixels, of which nothing but these words tells."""
    cache = PredictionCache(tmp_path, 10**6)

    class Small(make_fake):
        def input_words(self, size_rule):
            return InputSize((128, 128)).words(size_rule)

    rules = (RULE, ResizeRule(side="shorter"), ResizeRule(side="minimal"), None)
    assert len({cache.name(Small(preprocessing="own"), Query(IMAGE), rule) for rule in rules}) == 4


def test_a_model_with_preprocessing_of_its_own_is_asked_once_for_all_rules(make_fake, tmp_path) -> None:
    cache = PredictionCache(tmp_path, 10**6)

    class IgnoresTheRule(make_fake):
        def input_words(self, size_rule):
            return "224 squared"

    own = IgnoresTheRule(preprocessing="own")
    assert cache.name(own, Query(IMAGE), RULE) == cache.name(own, Query(IMAGE), None)

    class KeepsTheRule(make_fake):
        def input_words(self, size_rule):
            return f"{size_rule.side} 224"

    half = KeepsTheRule(preprocessing="own")
    assert cache.name(half, Query(IMAGE), RULE) != cache.name(half, Query(IMAGE), ResizeRule(side="shorter"))


def test_a_model_without_a_checksum_is_not_cached(world, tmp_path) -> None:
    messages = []

    class Heard:
        def start(self, task, total=None): ...
        def advance(self, task, steps=1, note="", seconds_left=None): ...
        def finish(self, task): ...
        def message(self, text):
            messages.append(text)

    ramp = load_predictor("baseline:ramp")
    assert cached(ramp, PredictionCache(tmp_path / "cache", 10**6)) is ramp
    evaluate(ramp, world.suite, world.data, tmp_path / "a", options=options(tmp_path / "cache"), progress=Heard())
    assert entries(tmp_path / "cache") == []
    assert any("baseline:ramp are not cached" in text for text in messages)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign", "swap"])
def test_a_damaged_entry_is_predicted_again_and_mended(damage, world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path / "a", options=options(tmp_path / "cache"))
    victim = entries(tmp_path / "cache")[0]
    whole = victim.read_bytes()
    middle = len(whole) // 2
    victim.write_bytes(
        {
            "flip": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "cut": whole[:-7],
            "empty": b"",
            "foreign": b"not a prediction at all, but long enough to have a body" * 3,
            "swap": whole[:60],
        }[damage]
    )
    fake = make_fake()
    evaluate(fake, world.suite, world.data, tmp_path / "b", options=options(tmp_path / "cache"))
    assert len(set(fake.asked)) == 1
    assert victim.read_bytes() == whole
    assert tables(tmp_path / "a") == tables(tmp_path / "b")


def test_the_size_is_bounded_and_the_oldest_goes(make_fake, tmp_path) -> None:
    generator = np.random.default_rng(0)
    values = [generator.random((20, 20)).astype(np.float32) for _ in range(60)]
    size = 2_000
    cache = PredictionCache(tmp_path, 20 * size)
    names = [f"{index:02x}" * 32 for index in range(60)]
    for place, (name, array) in enumerate(zip(names, values, strict=True)):
        cache.put(name, Prediction(array, (32, 32)))
        assert sum(path.stat().st_size for path in entries(tmp_path)) <= 20 * size
        if place >= 5:
            assert cache.get(names[0]) is not None, "what is used stays"
    kept = [name for name in names if cache.get(name) is not None]
    assert names[0] in kept
    assert kept[1:] == names[-len(kept) + 1 :]
    assert len(kept) > 5
    np.testing.assert_array_equal(cache.get(names[-1]).values, values[-1])
    PredictionCache(tmp_path, 3 * size)
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 3 * size


def test_a_full_disk_ends_the_writing_not_the_run(world, make_fake, tmp_path, monkeypatch) -> None:
    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dpt_bench.evaluation.cache.write_atomically", full)
    report = evaluate(make_fake(), world.suite, world.data, tmp_path / "a", options=options(tmp_path / "cache"))
    assert report.n_new == len(world.arrays)
    assert entries(tmp_path / "cache") == []


def test_a_cache_that_is_a_file_is_refused(tmp_path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        PredictionCache(tmp_path / "cache", 10)


def _fill(folder: Path, seed: int) -> None:
    cache = PredictionCache(folder, 60_000)
    generator = np.random.default_rng(seed)
    for _ in range(150):
        number = int(generator.integers(0, 40))
        name = f"{number:02x}" * 32
        values = np.full((30, 30), number, np.float32) + np.arange(900).reshape(30, 30)
        found = cache.get(name)
        if found is None:
            cache.put(name, Prediction(values, (30, 30)))
        elif not np.array_equal(found.values, values):
            raise SystemExit(3)


def test_several_processes_share_it(tmp_path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fill, args=(tmp_path, seed)) for seed in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert all(PredictionCache(tmp_path, 60_000).get(path.stem) is not None for path in entries(tmp_path))
    assert not list(tmp_path.rglob(".*")), "no temporary file is left"


def test_the_order_of_a_batch_with_hits_and_misses(make_fake, tmp_path) -> None:
    cache = PredictionCache(tmp_path, 10**6)
    queries = [Query(np.full((8, 9, 3), shade, np.uint8), "a", str(shade)) for shade in range(6)]
    fake = make_fake()
    model = CachedPredictor(fake, cache)
    model.predict(queries[1::2], RULE)
    fake.asked.clear()
    found = model.predict(queries, RULE)
    assert fake.asked == [("a", str(shade)) for shade in (0, 2, 4)]
    for query, prediction in zip(queries, found, strict=True):
        np.testing.assert_array_equal(prediction.values, make_fake.values(query.image))
        assert prediction.input_size == (32, 64)
    assert model.n_found == 3
