from __future__ import annotations

from pathlib import Path

import pytest

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.losses import PAPER
from dpt_bench.training.config import PRESETS, load_preset, preset_names
from dpt_bench.training.run_folder import preset_toml


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_whole(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert preset.title
    assert preset.citation
    assert preset.total_steps > 0
    assert preset.model.resolved(preset.crop).head == "depth"


def test_the_presets_that_people_know() -> None:
    assert {"demo", "mix6-dpt-base", "mix6-dpt-hybrid", "mix6-dpt-large"} <= set(preset_names())


@pytest.mark.parametrize("name", ["mix6-dpt-base", "mix6-dpt-hybrid", "mix6-dpt-large", "mix6-midas"])
def test_the_numbers_of_the_paper(name: str) -> None:
    """Ranftl et al., ICCV 2021, section 4.1."""
    preset = load_preset(name)
    assert preset.total_steps == 2 * 60 * 72_000
    assert [(stage.mix, stage.epochs) for stage in preset.stages] == [("curated3", 60), (None, 60)]
    assert preset.multi_objective.method == "mgda"
    assert preset.batch_size == 16
    assert preset.crop == 384
    assert (preset.optimiser.name, preset.optimiser.lr_backbone, preset.optimiser.lr_decoder) == ("adam", 1e-5, 1e-4)
    assert preset.optimiser.schedule == "constant"
    assert preset.loss == PAPER
    assert preset.data.weights == "uniform"
    assert preset.data.flip == 0.5
    assert preset.data.mix == "mix6"
    assert preset.model.pretrained is True


def test_an_epoch_of_images_is_sixteen_times_shorter() -> None:
    preset = load_preset("mix6-dpt-base", {"epoch_unit": "images"})
    assert preset.total_steps == 2 * 60 * 72_000 // 16
    assert preset.num_epochs == 120
    assert preset.steps_of(60, "steps") == 60 * 72_000


def test_the_numbers_of_midas() -> None:
    """Ranftl et al., TPAMI 2022, section 6."""
    preset = load_preset("mix5-midas")
    assert preset.total_steps == 60 * 72_000 // 40
    assert preset.batch_size == 8 * 5
    assert (preset.optimiser.lr_backbone, preset.optimiser.lr_decoder) == (1e-5, 1e-4)
    assert (preset.data.mix, preset.data.crop_rule) == ("mix5", "crop-then-resize")
    assert preset.multi_objective.method == "mgda"


def test_stages_follow_one_another_and_steps_cut_them() -> None:
    stages = [{"name": "a", "steps": 5}, {"name": "b", "epochs": 2, "datasets": ["redweb"]}]
    overrides = {"stages": stages, "epoch_size": 10, "epoch_unit": "steps"}

    def bounds(**more: object) -> list[tuple[str, int, int]]:
        preset = load_preset("mix6-dpt-base", {**overrides, **more})
        return [(stage.name, first, end) for stage, first, end in preset.stage_bounds() if stage is not None]

    assert bounds() == [("a", 0, 5), ("b", 5, 25)]
    assert bounds(steps=3) == [("a", 0, 3)]
    assert bounds(steps=8) == [("a", 0, 5), ("b", 5, 8)]
    assert bounds(steps=100) == [("a", 0, 5), ("b", 5, 100)], "the last stage lasts to the end"
    assert load_preset("mix6-dpt-base", overrides).num_epochs is None
    assert load_preset("demo").stage_bounds() == [(None, 0, load_preset("demo").total_steps)]


def test_steps_win_over_epochs() -> None:
    assert load_preset("mix6-dpt-base", {"steps": "10"}).total_steps == 10


def test_overrides_are_typed() -> None:
    preset = load_preset(
        "demo",
        {
            "steps": "5",
            "optimiser.lr_decoder": "3e-4",
            "optimiser.betas": "[0.8, 0.9]",
            "ema": "none",
            "data.datasets": ["redweb"],
            "loss.median": "mean",
            "model.spec.features": "32",
            "compile": True,
        },
    )
    assert preset.steps == 5
    assert preset.optimiser.lr_decoder == 3e-4
    assert preset.optimiser.betas == (0.8, 0.9)
    assert preset.ema is None
    assert preset.data.datasets == ("redweb",)
    assert preset.loss.median == "mean"
    assert preset.model.resolved(64).features == 32
    assert preset.model.resolved(64).train_size == 64
    assert preset.compile is True


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("optimizer.lr_decoder", "1", ("optimizer", "optimiser")),
        ("optimiser.lr_decodr", "1", ("lr_decodr", "did you mean 'lr_decoder'")),
        ("optimiser.lr_decoder", "-1", ("optimiser.lr_decoder", "greater than 0")),
        ("steps", "many", ("steps", "many", "integer")),
        ("crop", "100", ("crop", "multiple of 32")),
        ("multi_objective.method", "mgda-ub", ("multi_objective.method", "uniform", "mgda")),
        ("stages", '[{ name = "a" }]', ("stages.0", "steps or epochs")),
        ("precision", "fp16", ("fp32", "bf16")),
        ("loss.median", "upper", ("loss.median", "lower")),
        ("loss.trimm", "0.1", ("loss.trimm",)),
        ("steps.x", "1", ("steps", "table")),
    ],
)
def test_a_bad_override_says_what_is_wrong(key: str, value: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        load_preset("demo", {key: value})
    assert f"--set {key}={value}" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_preset() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mix6-dpt-large'"):
        load_preset("mix6-dpt-larg")


def test_an_unknown_model_and_a_bad_spec() -> None:
    with pytest.raises(UnknownNameError, match="dpt-tiny"):
        load_preset("demo", {"model.variant": "dpt-tinny"}).model.resolved(64)
    with pytest.raises(UsageError, match="feature"):
        load_preset("demo", {"model.spec.feature": "3"}).model.resolved(64)


def test_a_preset_from_a_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text((PRESETS / "demo.toml").read_text().replace("batch_size = 16", "batch_size = 2"))
    assert load_preset(file).batch_size == 2
    assert load_preset(str(file)).name == "mine"
    file.write_text("title = 'x'\nbatch_size = 2\n[model]\nvariant = 'dpt-tiny'\n[optimiser]\nlr_backbone = 1\n")
    with pytest.raises(UsageError, match="lr_decoder"):
        load_preset(file)
    file.write_text(file.read_text() + "lr_decoder = 1\n")
    with pytest.raises(UsageError, match="give steps, or epochs"):
        load_preset(file)


@pytest.mark.parametrize("name", preset_names())
def test_a_resolved_preset_can_be_trained_again(name: str, tmp_path: Path) -> None:
    preset = load_preset(name, {"model.spec.features": "64", "data.datasets": "['redweb']"})
    file = tmp_path / f"{name}.toml"
    file.write_text(preset_toml(preset))
    assert load_preset(file) == preset
