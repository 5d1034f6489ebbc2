"""Frames out of stereo videos: one job a clip, each clip there whole or not at all, before anything is planned.

The clips of a video share one pass of decoding. Each is written into a hidden folder that is renamed when it is
complete; its record, clip.json, lies within. A clip whose record names the same job is left alone, so a run that was
killed goes on where it stopped.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from dpt_bench.core.errors import DataError, DptBenchError, UsageError
from dpt_bench.core.processes import leave_with_parent
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.stereo.clip_folder import PARTIAL, ClipFolder, ClipJob, read_record
from dpt_bench.stereo.packing import Picture
from dpt_bench.stereo.video import decode_frames


@dataclass(frozen=True)
class ClipReport:
    """What became of a job. missing: frames beyond the end of the video. reused: the clip was there already."""

    name: str
    extracted: int = 0
    missing: int = 0
    reused: bool = False
    error: DptBenchError | None = None


def extract_clips(
    root: Path, jobs: Sequence[ClipJob], *, workers: int = 1, progress: Progress = SILENT
) -> list[ClipReport]:
    """Extract every clip that is not there yet below `root`; reports in the order of the jobs.

    A clip that fails does not stop the others. Run one extraction at a time in one folder.

    Raises:
        UsageError: PyAV is not installed.
        DataError: a worker process was killed.
    """
    _remove_partial(root, jobs)
    progress.start("clips", len(jobs))
    reports: dict[str, ClipReport] = {}
    for report in _run(root, _passes(jobs), workers):
        reports[report.name] = report
        if report.error is not None:
            progress.message(f"{report.name}: {report.error.what}")
        progress.advance("clips", note=report.name)
    progress.finish("clips")
    return [reports[job.name] for job in jobs]


def extract_pass(root: Path, jobs: Sequence[ClipJob]) -> list[ClipReport]:
    """Extract clips of one video that count their frames from one moment, by decoding it once."""
    reports = [_already_there(root, job) for job in jobs]
    pending = [job for job, report in zip(jobs, reports, strict=True) if report is None]
    fresh = iter(_decode(root, pending)) if pending else iter(())
    return [report if report is not None else next(fresh) for report in reports]


def _passes(jobs: Sequence[ClipJob]) -> list[list[ClipJob]]:
    groups: dict[tuple[Path, float | None], list[ClipJob]] = defaultdict(list)
    for job in jobs:
        groups[job.video, job.start_s].append(job)
    return list(groups.values())


def _run(root: Path, passes: Iterable[list[ClipJob]], workers: int) -> Iterator[ClipReport]:
    if workers <= 1:
        for jobs in passes:
            yield from extract_pass(root, jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), leave_with_parent) as pool:
        try:
            for done in as_completed([pool.submit(extract_pass, root, jobs) for jobs in passes]):
                yield from done.result()
        except BrokenProcessPool:
            raise DataError(
                "a worker process was killed",
                where=root,
                fix="use fewer workers if memory is short, then run the same command again: it goes on from there",
            ) from None


def _already_there(root: Path, job: ClipJob) -> ClipReport | None:
    """The report of a clip that need not or cannot be extracted."""
    try:
        identity, record = job.identity(), read_record(root, job)
    except FileNotFoundError:
        return ClipReport(job.name, error=UsageError("the video was not found", where=job.video))
    except DptBenchError as error:
        return ClipReport(job.name, error=error)
    if record is not None and record.job == identity:
        return ClipReport(job.name, record.extracted, record.missing, reused=True)
    if record is None and not (root / job.folders[0]).exists():
        return None
    foreign = UsageError(
        "these frames were not extracted by this job: another video, other frames or options",
        where=root / job.folders[0],
        fix="delete the folder to extract it again, or leave its video out",
    )
    return ClipReport(job.name, error=foreign)


def _decode(root: Path, jobs: Sequence[ClipJob]) -> list[ClipReport]:
    reports: dict[str, ClipReport] = {}
    with ExitStack() as stack:
        waiting: dict[str, ClipFolder] = {}
        try:
            for job in jobs:
                waiting[job.name] = stack.enter_context(ClipFolder(root, job))
            wanted = {frame for job in jobs for frame in job.frames}
            for frame, picture in decode_frames(jobs[0].video, wanted, start_s=jobs[0].start_s):
                for name, folder in list(waiting.items()):
                    if (report := _advance(folder, frame, picture)) is not None:
                        reports[name] = report
                        del waiting[name]
            for name, folder in waiting.items():
                reports[name] = _commit(folder)
        except UsageError:
            raise
        except OSError as error:
            return [ClipReport(job.name, error=_unwritable(root / job.name, error)) for job in jobs]
        except DptBenchError as error:  # the video is damaged: the clips before that are there
            reports |= {name: ClipReport(name, error=error) for name in waiting if name not in reports}
    return [reports[job.name] for job in jobs]


def _advance(folder: ClipFolder, frame: int, picture: Picture) -> ClipReport | None:
    """Hand a frame to a clip; the clip's report when that was its last, or when it failed."""
    try:
        folder.write(frame, picture)
    except (DptBenchError, OSError) as error:
        return _failed(folder, error)
    return _commit(folder) if frame >= folder.last else None


def _commit(folder: ClipFolder) -> ClipReport:
    try:
        record = folder.commit()
    except OSError as error:
        return _failed(folder, error)
    return ClipReport(folder.job.name, record.extracted, record.missing)


def _failed(folder: ClipFolder, error: DptBenchError | OSError) -> ClipReport:
    shown = _unwritable(folder.place, error) if isinstance(error, OSError) else error
    return ClipReport(folder.job.name, error=shown)


def _unwritable(place: Path, error: OSError) -> DataError:
    return DataError(
        f"the clip cannot be written: {error.strerror}", where=place, fix="mend that, then run the same command again"
    )


def _remove_partial(root: Path, jobs: Sequence[ClipJob]) -> None:
    for parent in {(root / folder).parent for job in jobs for folder in job.folders}:
        for left_over in parent.glob(f"{PARTIAL}*"):
            shutil.rmtree(left_over, ignore_errors=True)
