"""leaderboards/*.csv against ../shared/facts: the same cells, model by model, and nothing that the facts do not hold."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from dpt_bench.results.published import PublishedRow, load_published, published_suites

DPT, MIDAS, V31 = "DPT (arXiv 2103.13413)", "MiDaS (arXiv 1907.01341v3)", "MiDaS v3.1 README"
V1, V2 = "Depth Anything README", "Depth Anything V2 (arXiv 2406.09414)"
PAPERS = {
    "isl-org/MiDaS README v3.1": (V31, ""),
    "DPT Table1 (arXiv 2103.13413)": (DPT, "Table 1"),
    "MiDaS Table11 (arXiv 1907.01341v3)": (MIDAS, "Table 11"),
    "LiheYoung/Depth-Anything README": (V1, "Performance"),
    "Depth Anything V2 Table2 (arXiv 2406.09414)": (V2, "Table 2"),
    "Marigold CVPR24 Table1 (ensemble)": ("Marigold (CVPR 2024)", "Table 1"),
    "isl-org/DPT EVALUATION.md": ("DPT EVALUATION.md", ""),
}
RENAMED = {
    (V31, "v3.1 BEiTL-512"): "MiDaS v3.1 BEiT-L-512",
    (V31, "v3.1 Swin2L-384"): "MiDaS v3.1 Swin2-L-384",
    (V31, "v3.1 Swin2B-384"): "MiDaS v3.1 Swin2-B-384",
    (V31, "v3.1 SwinL-384"): "MiDaS v3.1 Swin-L-384",
    (V31, "v3.1 BEiTL-384"): "MiDaS v3.1 BEiT-L-384",
    (V31, "v3.1 Next-ViTL-384"): "MiDaS v3.1 Next-ViT-L-384",
    (V31, "v3.1 BEiTB-384"): "MiDaS v3.1 BEiT-B-384",
    (V31, "v3.0 DPTL-384"): "MiDaS v3.0 DPT-L-384",
    (V31, "v3.0 DPTH-384"): "MiDaS v3.0 DPT-H-384",
    (V31, "v2.1 Large384"): "MiDaS v2.1 Large-384",
    (V31, "v3.1 Swin2T-256"): "MiDaS v3.1 Swin2-T-256",
    (V31, "v2.1 Small256"): "MiDaS v2.1 Small-256",
    (V31, "v3.1 LeViT224"): "MiDaS v3.1 LeViT-224",
    (DPT, "MiDaS(v2.1 rerun)"): "MiDaS",
    (MIDAS, "MiDaS Ours"): "MiDaS",
    (MIDAS, "MiDaS Ours-small"): "MiDaS small",
    (MIDAS, "Li[11] MegaDepth"): "Li et al. 2018",
    (MIDAS, "Li[38] Mannequin"): "Li et al. 2019",
    (MIDAS, "Wang[33]"): "Wang et al. 2019",
    (MIDAS, "Xian[32]"): "Xian et al. 2018",
    (MIDAS, "Casser[27]"): "Casser et al. 2019",
    (MIDAS, "Godard[24]"): "Godard et al. 2019",
    (MIDAS, "Fu[19]"): "Fu et al. 2018",
    (MIDAS, "Chen[34]"): "Chen et al. 2016",
    (V1, "MiDaS v3.1 BEiT-L512"): "MiDaS v3.1 BEiT-L-512",
    **{(V1, f"DepthAnything-{size}"): f"Depth Anything V1 {size}" for size in "SBL"},
    **{(V2, f"DepthAnythingV2-{size}"): f"Depth Anything V2 {size}" for size in "SBLG"},
    ("Marigold (CVPR 2024)", "Marigold v1-0"): "Marigold v1-0, ensemble of 10",
    **{
        (DPT, f"{base} {change}"): f"{base}, {change}"
        for base, change in (
            ("DPT-Base", "hooks 3,6,9,12"),
            ("DPT-Base", "hooks 6,8,10,12"),
            ("DPT-Base", "hooks 9,10,11,12"),
            ("DPT-Hybrid", "hooks 3,6,9,12"),
            ("DPT-Hybrid", "hooks R0,R1,9,12"),
            ("DPT-Base", "readout ignore"),
            ("DPT-Base", "readout add"),
            ("DPT-Base", "readout project"),
        )
    },
    **{
        (DPT, backbone): f"DPT, {backbone} backbone"
        for backbone in (
            "ResNet50",
            "ResNext101-WSL",
            "DeiT-Base",
            "DeiT-Base-Dist",
            "ViT-Base",
            "ViT-Large",
            "ViT-Hybrid",
        )
    },
}
TRAINED_ON = {
    "MIX6": "MIX 6",
    "MIX5": "MIX 5",
    "MD": "MegaDepth",
    "MC": "MannequinChallenge",
    "WS": "WSVD",
    "RW": "ReDWeb",
    "CS": "Cityscapes",
    "NYU": "NYUDv2",
    "NYU->DIW": "NYUDv2, then DIW",
    "NYU (fine-tuned)": "NYU",
    "KITTI (fine-tuned)": "KITTI",
    "ADE20K, Pascal Context (fine-tuned)": "ADE20K, then Pascal Context",
}
FINE_TUNED = {"NYU (fine-tuned)": "MIX 6, then NYU", "KITTI (fine-tuned)": "MIX 6, then KITTI"}  # DPT-Hybrid
DATASETS = {"nyuv2": "nyu", "kitti-eigen": "kitti", "ade20k-val": "ade20k", "pascalcontext-val": "pascal_context"}
METRICS = {
    "WHDR": ("whdr", "fraction"),
    "AbsRel": ("absrel", "fraction"),
    "AbsRel after affine alignment": ("deviation_disparity", "fraction"),
    "delta>1.25": ("delta_above_1_25", "fraction"),
    "delta1<1.25": ("delta_1_25", "fraction"),
    **{f"delta<1.25{power}": (f"delta_1_25{power.replace('^', '_')}", "fraction") for power in ("", "^2", "^3")},
    **{f"d{power}": (f"delta_1_25{end}", "fraction") for power, end in ((1, ""), (2, "_2"), (3, "_3"))},
    "RMSE": ("rmse", "m"),
    "SqRel": ("sq_rel", "m"),
    "RMSElog": ("rmse_log", "log"),
    "SILog": ("silog", "log"),
    "log10": ("log10", "log10"),
    "pixAcc": ("pixel_accuracy", "fraction"),
    "mIoU": ("mean_iou", "fraction"),
}


class Cell(NamedTuple):
    """What names one printed number; an empty `trained_on` or `input` is one that the facts do not give."""

    paper: str
    table: str
    model: str
    trained_on: str
    input: str
    dataset: str
    metric: str


class Fact(NamedTuple):
    cell: Cell
    value: Decimal
    unit: str
    trained_on_dataset: bool | None
    status: str


def read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def value_in_unit(record: dict[str, str]) -> Decimal:
    printed_times_100 = record["unit"] == "percent" or record["metric"] == "SILog"
    return Decimal(record["value"]) / (100 if printed_times_100 else 1)


def dataset_name(record: dict[str, str]) -> str:
    name = record["dataset"].lower()
    return DATASETS.get(name, name.removesuffix("-val"))


def metric_and_unit(record: dict[str, str], paper: str) -> tuple[str, str]:
    metric, unit = METRICS[record["metric"]]
    return (f"{metric}_disparity" if paper in (V1, V2) else metric), unit


def zero_shot_facts(path: Path) -> Iterator[Fact]:
    for record in read(path):
        if record["dataset"] == "improvement":  # computed by the board, never stored
            continue
        paper, table = PAPERS[record["source"]]
        model, trained_on, size = RENAMED.get((paper, record["model"]), record["model"]), "", ""
        if paper == V31:
            height, shape = record["input"].removeprefix("height").split()
            size = f"height {height}, {'aspect kept' if shape == 'aspect' else 'square'}"
        elif paper in (DPT, MIDAS):
            trained_on = TRAINED_ON.get(record["train_set_or_note"], record["train_set_or_note"])
        elif paper == "DPT EVALUATION.md":
            model, table = record["train_set_or_note"].split()[0], record["dataset"]
        metric, unit = metric_and_unit(record, paper)
        yield Fact(
            Cell(paper, table, model, trained_on, size, dataset_name(record), metric),
            value_in_unit(record),
            unit,
            {"yes": True, "no": False, "": None}[record["trained_on_dataset"]],
            "verified" if record["status"].startswith("verified") else "from memory",
        )


def dpt_facts(path: Path) -> Iterator[Fact]:
    for record in read(path):
        if record["table"] == "9" or record["dataset"] == "Mean":  # costs; and what the board computes
            continue
        known = record["trained_on"]
        trained_on = FINE_TUNED.get(known) if record["model"] == "DPT-Hybrid" else None
        trained_on = trained_on or TRAINED_ON.get(known, known)
        model = RENAMED.get((DPT, record["model"]), record["model"])
        metric, unit = metric_and_unit(record, DPT)
        cell = Cell(DPT, f"Table {record['table']}", model, trained_on, "", dataset_name(record), metric)
        yield Fact(cell, value_in_unit(record), unit, True if "fine-tuned" in known else None, "verified")


@pytest.fixture(scope="module")
def facts(shared_facts: Path) -> list[Fact]:
    zero_shot = list(zero_shot_facts(shared_facts / "published_zeroshot.csv"))
    return zero_shot + list(dpt_facts(shared_facts / "published_dpt_tables.csv"))


@pytest.fixture(scope="module")
def rows() -> list[PublishedRow]:
    return [row for suite in published_suites() for row in load_published(suite)]


def states(row: PublishedRow, cell: Cell) -> bool:
    """Whether the row is this printed number: printed there, or in another paper with a note that it is there too."""
    printed_there = (row.paper, row.table if cell.table else "") == (cell.paper, cell.table)
    names = (row.model, row.dataset, row.metric) == (cell.model, cell.dataset, cell.metric)
    given = cell.trained_on in ("", row.trained_on) and cell.input in ("", row.input)
    return names and given and (printed_there or row.note == f"also {cell.paper}, {cell.table}")


def test_every_fact_is_one_row_with_its_value_unit_status_and_training_flag(facts, rows) -> None:
    assert len(facts) > 440
    for fact in facts:
        found = [row for row in rows if states(row, fact.cell)]
        assert len(found) == 1, (fact, found)
        row = found[0]
        assert (row.value, row.unit, row.status) == (fact.value, fact.unit, fact.status), fact
        assert fact.trained_on_dataset in (None, row.trained_on_dataset), fact


def test_every_row_is_a_fact_but_for_other_networks_of_the_segmentation_tables(facts, rows) -> None:
    """DPT Tables 4 and 5 list networks of others, which the facts leave out."""
    cells = [fact.cell for fact in facts]
    unknown = {(row.suite, row.model.split(",")[0]) for row in rows if not any(states(row, cell) for cell in cells)}
    assert unknown == {
        ("ade20k", "OCNet"),
        ("ade20k", "ACNet"),
        ("ade20k", "DeepLabV3"),
        ("pascal-context", "OCNet"),
        ("pascal-context", "DeepLabV3"),
    }


def test_rows_flag_what_their_training_set_names(rows) -> None:
    """Where the facts give no flag (MiDaS, Table 11), it follows from the training set."""
    named = {"kitti": ("KITTI",), "nyu": ("NYU",), "diw": ("DIW",)}
    for row in rows:
        if row.paper in (DPT, MIDAS) and row.suite == "midas":
            assert row.trained_on_dataset == any(name in row.trained_on for name in named.get(row.dataset, ())), row
