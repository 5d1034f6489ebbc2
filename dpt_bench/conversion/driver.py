"""Builds the shards of a mix: plan all datasets, make their shards, finish each dataset as its last shard is done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from dpt_bench.conversion.claims import claim, claim_place, refuse_other_build, refuse_other_place
from dpt_bench.conversion.executors import check_executor, run
from dpt_bench.conversion.finish import finish_dataset
from dpt_bench.conversion.manifest import write_manifest
from dpt_bench.conversion.members import Found, Missing, find_members, load_mix_or_recipe
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import DatasetPlan, plan_dataset
from dpt_bench.conversion.report import BuildFailed, BuildReport, DatasetRow
from dpt_bench.conversion.rows import finished_row, missing_row, planned_row, refused_row
from dpt_bench.conversion.shard_job import ShardJob, ShardReport, encode_items
from dpt_bench.conversion.storage_errors import explain, retrying
from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Mix
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.shards.layout import ShardStore

Value = TypeVar("Value")

_PLAN = "plan"
_CONVERT = "convert"


@dataclass
class _Dataset:
    """A dataset on its way: what is planned, and what its jobs have reported so far."""

    found: Found
    plan: DatasetPlan
    remaining: int
    failures: list[ShardReport] = field(default_factory=list)


@dataclass
class _Build:
    """All that the steps of one build share. `rows` and `errors` grow as datasets are finished."""

    mix: Mix
    store: ShardStore
    options: BuildOptions
    progress: Progress
    rows: dict[str, DatasetRow]
    datasets: list[_Dataset] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    fixes: list[str] = field(default_factory=list)


def build(
    mix: str | Path | Mix,
    raw: str | Path,
    out: str | Path,
    *,
    datasets: Sequence[str] | None = None,
    executor: str = "processes",
    workers: int | None = None,
    options: BuildOptions | None = None,
    progress: Progress = SILENT,
) -> BuildReport:
    """Convert the datasets of a mix that lie under `raw` (one folder each, named as its recipe) into shards at `out`.

    Finished shards are kept, so a build that was stopped goes on where it was. Members that have no raw folder are told
    of in the report and the manifest.

    Args:
        mix: a mix's name, the path of a mix or of a single recipe, or a Mix.
        raw: the folder of the raw trees; <raw>/<recipe name>/ holds a dataset as its owners ship it.
        out: a folder or any fsspec URL.
        datasets: only these members of the mix; None for all.
        executor: "serial", "processes" or "ray"; the shards are the same bytes.
        workers: how many processes or tasks at a time; None for one a core.
        options: sizes, quality, how many samples may be rejected, and whether to plan alone.
        progress: told of every sample.

    Raises:
        UsageError: a wrong call: unknown names, no raw data, a raw tree of another dataset, or an output that cannot be
            written or belongs to a build with other options.
        BuildFailed: datasets failed, by storage errors or too many rejections; the others are finished.
    """
    options = options or BuildOptions()
    started = time.perf_counter()
    check_executor(executor)
    state = _Build(load_mix_or_recipe(mix), ShardStore.at(out), options, progress, rows={})
    _refuse_unwritable(state.store)
    _stored(state, lambda: refuse_other_place(state.store, state.mix, options))
    members = find_members(state.mix, Path(raw), datasets)
    _note_missing(state, members, Path(raw), explicit=datasets is not None)
    _plan(state, [member for member in members if isinstance(member, Found)])
    if options.dry_run:
        for dataset in state.datasets:
            state.rows[dataset.plan.dataset] = planned_row(dataset.found, dataset.plan, options.sample)
    else:
        _claim_all(state)
        _convert(state, executor, workers)
    report = BuildReport(
        mix=state.mix.name,
        out=state.store.url,
        rows=tuple(state.rows[_name(member)] for member in members),
        coverage=_coverage(state),
        missing_is_fine=options.allow_missing or datasets is not None,
        seconds=time.perf_counter() - started,
        free_bytes=state.store.free_bytes(),
    )
    if state.errors:
        raise BuildFailed(report, state.errors, fix="; ".join(dict.fromkeys(state.fixes)))
    return report


def _name(member: Found | Missing) -> str:
    return member.name if isinstance(member, Missing) else member.recipe.name


def _refuse_unwritable(store: ShardStore) -> None:
    """Tell before the planning, not after it, and without having made a folder."""
    if store.local_root is None:
        store.check()
        return
    place = next(path for path in (store.local_root, *store.local_root.parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise UsageError("the output folder cannot be written", where=place, fix="choose another --out")


def _stored(state: _Build, work: Callable[[], Value]) -> Value:
    """The result of reading or writing at the output, tried again after a hiccup."""
    try:
        return retrying(work)
    except OSError as error:
        raise explain(error, state.store.url) from error


def _note_missing(state: _Build, members: Sequence[Found | Missing], raw: Path, *, explicit: bool) -> None:
    """Rows of the members without raw data; a call that leaves nothing to do is refused."""
    missing = [member for member in members if isinstance(member, Missing)]
    state.rows |= {member.name: _stored(state, partial(missing_row, state.store, member)) for member in missing}
    absent = [state.rows[member.name] for member in missing if state.rows[member.name].status == "missing"]
    if explicit and absent and not state.options.allow_missing:
        raise UsageError(f"{absent[0].dataset}: {absent[0].note}", where=raw, fix="leave it out, or --allow-missing")
    if len(absent) == len(members):
        names = ", ".join(row.dataset for row in absent)
        fix = f"put at least one of these folders there: {names}; `dpt-bench list recipes NAME` says how to obtain each"
        raise UsageError(f"no dataset of {state.mix.name} is under the raw folder", where=raw, fix=fix)


def _plan(state: _Build, found: Sequence[Found]) -> None:
    state.progress.start(_PLAN, len(found))
    for member in found:
        plan = plan_dataset(member.recipe, member.root, member.member, state.options)
        state.datasets.append(_Dataset(member, plan, len(plan.shards)))
        state.progress.advance(_PLAN, note=f"{plan.dataset}: {plan.table.num_rows:,} items")
    state.progress.finish(_PLAN)


def _claim_all(state: _Build) -> None:
    identities = [dataset.plan.identity for dataset in state.datasets]
    for identity in identities:  # refuse before anything is written
        _stored(state, partial(refuse_other_build, state.store, identity))
    _stored(state, lambda: claim_place(state.store, state.mix, state.options))
    for identity in identities:
        _stored(state, partial(claim, state.store, identity))


def _jobs(state: _Build) -> Iterator[ShardJob]:
    """All jobs, made as they are drawn: only those in flight hold their items."""
    for dataset in state.datasets:
        for shard in dataset.plan.shards:
            yield ShardJob(
                dataset=dataset.plan.dataset,
                recipe=dataset.found.argument,
                recipe_sha256=dataset.plan.identity.recipe_sha256,
                raw=str(dataset.found.root),
                out=state.store.url,
                split=shard.split,
                number=shard.number,
                items=encode_items(dataset.plan.items(shard)),
                options=state.options.sample,
                retry_rejected=state.options.retry_rejected,
            )


def _convert(state: _Build, executor: str, workers: int | None) -> None:
    by_name = {dataset.plan.dataset: dataset for dataset in state.datasets}
    state.progress.start(_CONVERT, sum(dataset.plan.table.num_rows for dataset in state.datasets))
    with closing(run(_jobs(state), executor, workers)) as reports:
        for report in reports:
            if report.error is not None and report.fatal:
                raise report.error
            dataset = by_name[report.dataset]
            dataset.remaining -= 1
            if report.error is not None:
                dataset.failures.append(report)
            state.progress.advance(_CONVERT, report.items, note=f"{report.dataset}/{report.shard}")
            if dataset.remaining == 0:
                _finish(state, dataset)
    state.progress.finish(_CONVERT)
    why = {row.dataset: row.note for row in state.rows.values() if row.status in ("missing", "failed")}
    _stored(state, lambda: write_manifest(state.store, state.mix, state.options, why))


def _finish(state: _Build, dataset: _Dataset) -> None:
    name = dataset.plan.dataset
    if dataset.failures:
        first = dataset.failures[0].error
        assert first is not None
        what = f"{len(dataset.failures)} of {len(dataset.plan.shards)} shards failed, the first by: {first.what}"
        _fail(state, DatasetRow(name, "failed", note=what), first.fix or "run the same build again")
        return
    expected = dataset.found.recipe.expected_rejections
    ceiling = state.options.max_rejected
    record = _stored(state, lambda: finish_dataset(state.store, dataset.plan, expected, ceiling))
    if record.complete:
        state.rows[name] = finished_row(record, "built", "; ".join(dataset.plan.remarks))
        # should the build stop later, this one is usable
        _stored(state, lambda: write_manifest(state.store, state.mix, state.options))
        return
    fix = "rejected.parquet says why each; mend the raw files and add --retry-rejected, or raise --max-rejected"
    _fail(state, refused_row(record, dataset.plan.table.num_rows, expected, ceiling), fix)


def _fail(state: _Build, row: DatasetRow, fix: str) -> None:
    state.rows[row.dataset] = row
    state.errors.append(f"{row.dataset}: {row.note}")
    state.fixes.append(fix)


def _coverage(state: _Build) -> str:
    done = sum(row.status in ("built", "present", "planned") for row in state.rows.values())
    return f"{done} of {len(state.mix.members)}"
