"""What a person sees at the end of a build, in 80 columns."""

from __future__ import annotations

import pytest
import typer

from dpt_bench.cli import _build
from dpt_bench.conversion import BuildOptions, BuildReport
from dpt_bench.conversion.report import DatasetRow, Status

REASONS = {"inconsistent-flow": 1234, "small-range": 56, "vertical-disparity": 123_456}
OBTAIN = "nothing at raw/irs; download the archives of Home, Office, Restaurant and Store by the link on the homepage"


def show(monkeypatch: pytest.MonkeyPatch, *rows: DatasetRow, free_bytes: int | None = 10**12) -> None:
    report = BuildReport("mix6", "/data/shards", rows, "2 of 3", missing_is_fine=False, free_bytes=free_bytes)
    monkeypatch.setattr(_build, "build", lambda *_, **__: report)
    monkeypatch.setenv("COLUMNS", "80")
    call = _build.BuildCall("mix6", "raw", "/data/shards", None, "serial", None, BuildOptions())
    _build.run_build(call)


def rows(status: Status) -> list[DatasetRow]:
    wsvd = DatasetRow("wsvd", status, {"train": 1_400_000, "val": 61_792}, REASONS, 1462, 560_000_000_000)
    return [wsvd, DatasetRow("apolloscape", status, {"train": 4073, "val": 83}, {}, 6, 1_700_000_000)]


def test_the_report_fits_and_breaks_no_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end:
        show(monkeypatch, *rows("built"), DatasetRow("irs", "missing", note=OBTAIN))
    assert end.value.exit_code == 1
    out, err = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert "124,746" in out
    assert ", ".join(f"{count:,} {reason}" for reason, count in REASONS.items()) in " ".join(out.split())
    assert "2 of 3 datasets built, 1,465,948 images in 1,468 shards, 561.7 GB" in out
    assert OBTAIN in " ".join(out.split())
    assert "--allow-missing" in err


@pytest.mark.parametrize(("free_bytes", "fits"), [(10**12, True), (5 * 10**11, False), (None, True)])
def test_a_dry_run_says_what_all_comes_to(
    free_bytes: int | None, fits: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch, *rows("planned"), free_bytes=free_bytes)
    out = capsys.readouterr().out
    assert "datasets planned, 1,465,948 images in 1,468 shards, about 561.7 GB" in out
    assert ("too little" not in out) is fits
