"""The folder of one clip while it is written, and the record that says which job it came from."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.formats import images
from dpt_bench.stereo.packing import Packing, Picture, split_eyes

RECORD = "clip.json"
PARTIAL = ".partial-"
JPEG_QUALITY = 85
"""Of 3DVideos2Stereo, with full colour resolution."""


@dataclass(frozen=True)
class ClipJob:
    """One clip to extract.

    video: its file. frames: counted from 0 at `start_s`, or at the first frame. folders: where the first and the second
    eye go, relative to the root: the same folder twice, or two. names: of the two eyes' files, with {number}, which is
    the frame plus `first_number`; .jpg or .png. crop: rows and columns that each eye loses, half of them on each side.
    """

    video: Path
    frames: tuple[int, ...]
    packing: Packing
    folders: tuple[str, str]
    names: tuple[str, str]
    first_number: int = 0
    start_s: float | None = None
    crop: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return self.folders[0]

    def identity(self) -> str:
        """Names all that determines the pictures: the video by its name and size, and the rest of the job.

        Raises:
            FileNotFoundError: there is no such video.
        """
        facts = asdict(self) | {"video": [self.video.name, self.video.stat().st_size]}
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True)
class ClipRecord:
    """What clip.json says."""

    job: str
    video: str
    extracted: int
    missing: int


def read_record(root: Path, job: ClipJob) -> ClipRecord | None:
    """The record of a clip that is there, or None.

    Raises:
        DataError: it is damaged.
    """
    path = root / job.folders[0] / RECORD
    try:
        return ClipRecord(**json.loads(path.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):
        raise DataError(
            "the record of this clip is damaged", where=path, fix="delete the folder and run again"
        ) from None


class ClipFolder:
    """Collects the frames of a clip out of sight; `commit` makes them appear, leaving without it removes them."""

    def __init__(self, root: Path, job: ClipJob) -> None:
        self.job = job
        self.place = root / job.folders[0]
        self.last = max(job.frames, default=-1)
        self._frames = frozenset(job.frames)
        self._extracted = 0
        self._partial = {folder: _partial_folder(root / folder) for folder in dict.fromkeys(job.folders)}
        self._root = root

    def __enter__(self) -> ClipFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for partial in self._partial.values():
            shutil.rmtree(partial, ignore_errors=True)

    def write(self, frame: int, picture: Picture) -> None:
        """Split a frame into its eyes and keep them, if it belongs to this clip.

        Raises:
            SampleError, UsageError: it cannot be split or cropped so.
            OSError: it cannot be written.
        """
        if frame not in self._frames:
            return
        for eye, folder, name in zip(
            split_eyes(picture, self.job.packing), self.job.folders, self.job.names, strict=True
        ):
            data = _encode(_crop(eye, self.job.crop), name)
            (self._partial[folder] / name.format(number=frame + self.job.first_number)).write_bytes(data)
        self._extracted += 1

    def commit(self) -> ClipRecord:
        """Put the frames in their place."""
        missing = len(self._frames) - self._extracted
        record = ClipRecord(self.job.identity(), self.job.video.name, self._extracted, missing)
        for folder, partial in reversed(self._partial.items()):  # the first eye's folder marks the clip as complete
            (partial / RECORD).write_text(json.dumps(asdict(record)) + "\n")
            place = self._root / folder
            if place != self.place and (place / RECORD).is_file():
                shutil.rmtree(place)  # of a run that was killed between the two
            partial.replace(place)
        return record


def _partial_folder(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{place.name}-", dir=place.parent))
    folder.chmod(0o755)
    return folder


def _crop(eye: Picture, crop: tuple[int, int]) -> Picture:
    top, left = crop[0] // 2, crop[1] // 2
    height, width = eye.shape[:2]
    if crop[0] >= height or crop[1] >= width:
        raise UsageError(
            f"an eye of {width} x {height} pixels cannot lose {crop[1]} columns and {crop[0]} rows",
            fix="the crop is meant for another size of video: change it in the recipe's layout",
        )
    return eye[top : height - (crop[0] - top), left : width - (crop[1] - left)]


def _encode(eye: Picture, name: str) -> bytes:
    return images.encode_jpeg(eye, quality=JPEG_QUALITY) if name.endswith(".jpg") else images.encode_png(eye)
