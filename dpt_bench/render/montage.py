"""Several pictures on one sheet, with titles."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError

Image = NDArray[np.uint8]
_TITLE_HEIGHT = 18
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.4


def montage(
    panels: Sequence[Sequence[Image]],
    titles: Sequence[Sequence[str]] | None = None,
    *,
    gap: int = 6,
    background: int = 24,
) -> Image:
    """A grid of pictures, row by row.

    Args:
        panels: rows of RGB uint8 (h, w, 3) pictures; sizes and numbers of pictures in a row may differ.
        titles: a text above every picture, in the same arrangement; shortened where it is wider than the picture.
        gap: pixels between the pictures and around the sheet.
        background: grey of the sheet, 0 to 255; the text is light on dark and dark on light.

    Returns:
        uint8 (H, W, 3). Columns are as wide as their widest picture, rows as high as their highest; pictures sit in the
        upper middle of their cell.

    Raises:
        UsageError: no pictures, a picture that is not RGB uint8, or titles in another arrangement.
    """
    _check(panels, titles)
    strip = 0 if titles is None else _TITLE_HEIGHT
    heights = [max(panel.shape[0] for panel in row) + strip for row in panels]
    columns = max(len(row) for row in panels)
    widths = [max(row[column].shape[1] for row in panels if column < len(row)) for column in range(columns)]
    size = (sum(heights) + gap * (len(heights) + 1), sum(widths) + gap * (columns + 1), 3)
    sheet = np.full(size, background, np.uint8)
    ink = 225 if background < 128 else 30
    top = gap
    for index, row in enumerate(panels):
        left = gap
        for column, panel in enumerate(row):
            if titles is not None:
                _write(sheet[top : top + strip, left : left + widths[column]], titles[index][column], ink)
            start = left + (widths[column] - panel.shape[1]) // 2
            sheet[top + strip : top + strip + panel.shape[0], start : start + panel.shape[1]] = panel
            left += widths[column] + gap
        top += heights[index] + gap
    return sheet


def _check(panels: Sequence[Sequence[Image]], titles: Sequence[Sequence[str]] | None) -> None:
    if not panels or not all(panels):
        raise UsageError("a montage needs at least one picture in every row")
    for row in panels:
        for panel in row:
            if panel.dtype != np.uint8 or panel.ndim != 3 or panel.shape[2] != 3:
                raise UsageError(f"a picture must be RGB uint8 (H, W, 3), got {panel.dtype} {panel.shape}")
    if titles is not None and [len(row) for row in titles] != [len(row) for row in panels]:
        raise UsageError("titles must be arranged as the pictures are")


def _write(area: Image, text: str, ink: int) -> None:
    """Draw a title into a strip of the sheet, shortened to its width."""
    shown = text.encode("ascii", "replace").decode()  # the stroke font has no other characters
    while shown and cv2.getTextSize(shown, _FONT, _FONT_SCALE, 1)[0][0] > area.shape[1]:
        shown = shown[:-3] + ".." if len(shown) > 4 else shown[:-1]
    drawn = np.zeros(area.shape[:2], np.uint8)
    cv2.putText(drawn, shown, (0, _TITLE_HEIGHT - 6), _FONT, _FONT_SCALE, 255, 1, cv2.LINE_AA)
    share = (drawn / 255.0)[..., None]
    area[:] = np.round(area * (1 - share) + ink * share).astype(np.uint8)
