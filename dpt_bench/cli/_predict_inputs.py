"""What `dpt-bench predict` is given: pictures and videos, each with a name of its own, read ahead."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, SampleError, UsageError
from dpt_bench.formats import images

VIDEO_ENDINGS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm")
CHECKED_ENDINGS = (".jpg", ".jpeg", ".png")
PICTURE_ENDINGS = (*CHECKED_ENDINGS, ".bmp", ".tif", ".tiff", ".webp")
_READ_AHEAD = 4


@dataclass(frozen=True)
class Source:
    """A picture or video; `name` is the path of its outputs without their endings."""

    name: str
    path: Path

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_ENDINGS


@dataclass(frozen=True)
class Reading:
    """A picture as it was read: RGB uint8 (H, W, 3), or in one line why not."""

    name: str
    image: NDArray[np.uint8] | None
    problem: str = ""


def find_sources(inputs: Sequence[Path], out: Path) -> list[Source]:
    """Pictures and videos of the inputs in a fixed order; what lies below `out` was made by an earlier run.

    Raises:
        UsageError: an input is missing or of an unknown kind, or there is nothing at all.
    """
    found: dict[Path, Path] = {}  # file -> its path within the input
    for given in inputs:
        if given.is_dir():
            files = (file for file in sorted(given.rglob("*")) if _is_input(file) and not _lies_in(file, out))
            found |= {file: file.relative_to(given) for file in files if file not in found}
        elif given.is_file() and given.suffix.lower() in (*PICTURE_ENDINGS, *VIDEO_ENDINGS):
            found.setdefault(given, Path(given.name))
        else:
            problem = "no such file or folder" if not given.exists() else "neither a picture nor a video"
            raise UsageError(problem, where=given, fix=f"known: {', '.join((*PICTURE_ENDINGS, *VIDEO_ENDINGS))}")
    if not found:
        raise UsageError("there is no picture and no video", where=", ".join(map(str, inputs)))
    names = _unique_names(found)
    return [Source(names[file], file) for file in found]


def read_ahead(sources: Iterable[Source], pool: ThreadPoolExecutor) -> Iterator[Reading]:
    """Pictures in order, the next few of them decoded meanwhile."""
    waiting: deque[Future[Reading]] = deque()
    for source in sources:
        waiting.append(pool.submit(_read, source))
        if len(waiting) > _READ_AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _read(source: Source) -> Reading:
    try:
        return Reading(source.name, _decode(source.path))
    except SampleError as error:
        return Reading(source.name, None, f"{source.path}: {error.what}")
    except OSError as error:
        return Reading(source.name, None, f"{source.path}: the file cannot be read: {error.strerror}")


def _decode(path: Path) -> NDArray[np.uint8]:
    data = path.read_bytes()
    if path.suffix.lower() in CHECKED_ENDINGS:
        return images.decode_rgb(data, upright=True)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) if data else None
    except cv2.error as error:
        raise FormatError(f"the file is damaged: {error.err}") from None
    if image is None:
        raise FormatError(f"the {path.suffix.removeprefix('.')} file cannot be decoded")
    return image.astype(np.uint8, copy=False)


def _is_input(file: Path) -> bool:
    known = file.suffix.lower() in (*PICTURE_ENDINGS, *VIDEO_ENDINGS)
    return known and not file.name.startswith(".") and file.is_file()


def _lies_in(file: Path, folder: Path) -> bool:
    return folder.resolve() in file.resolve().parents


def _unique_names(places: dict[Path, Path]) -> dict[Path, str]:
    """Within the input and without the ending where that is unique, else with as much more as it takes."""
    names = {file: place.with_suffix("").as_posix() for file, place in places.items()}
    longer = (
        lambda file: f"{places[file].with_suffix('').as_posix()}_{file.suffix.removeprefix('.')}",
        lambda file: (Path(file.resolve().parent.name) / file.name).as_posix().replace(".", "_"),
        lambda file: file.resolve().as_posix().strip("/").replace(".", "_"),
    )
    for longer_name in longer:
        seen = Counter(names.values())
        names = {file: name if seen[name] == 1 else longer_name(file) for file, name in names.items()}
    return names
