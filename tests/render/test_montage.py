"""Sheets of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.render.montage import montage


def plain(height: int, width: int, grey: int) -> np.ndarray:
    return np.full((height, width, 3), grey, np.uint8)


def test_pictures_lie_in_their_cells() -> None:
    sheet = montage([[plain(10, 20, 50), plain(12, 30, 100)], [plain(8, 24, 150)]], gap=4, background=0)
    assert sheet.shape == (12 + 8 + 3 * 4, 24 + 30 + 3 * 4, 3)
    assert (sheet[4:14, 6:26] == 50).all()  # centred in a column of 24
    assert (sheet[4:16, 32:62] == 100).all()
    assert (sheet[20:28, 4:28] == 150).all()
    assert (sheet[:4] == 0).all()


def test_titles_take_a_strip_and_leave_the_pictures_alone() -> None:
    bare = montage([[plain(40, 80, 200)]], gap=2)
    titled = montage([[plain(40, 80, 200)]], [["a title that is far too long for its picture, ä"]], gap=2)
    strip = titled.shape[0] - bare.shape[0]
    assert strip > 8
    assert (titled[2 + strip : 2 + strip + 40, 2:82] == 200).all()
    assert titled[2 : 2 + strip].max() > 120
    assert (titled[:, :2] == 24).all()


def test_ink_is_dark_on_a_light_sheet() -> None:
    titled = montage([[plain(40, 80, 255)]], [["title"]], background=250)
    assert titled[:20].min() < 120


@pytest.mark.parametrize("panels", [[], [[]], [[np.zeros((4, 4), np.uint8)]], [[np.zeros((4, 4, 3), np.float32)]]])
def test_wrong_pictures_are_refused(panels: list[list[np.ndarray]]) -> None:
    with pytest.raises(UsageError):
        montage(panels)


def test_titles_must_match() -> None:
    with pytest.raises(UsageError, match="arranged"):
        montage([[plain(4, 4, 0)]], [["a", "b"]])
