"""What the files that the authors of DPT and MiDaS released were trained on; the files do not say it themselves."""

from __future__ import annotations

from dpt_bench.core.catalog import MIXES

_TUNED_ON: dict[str, tuple[str, ...]] = {
    "2f21e586": (),  # dpt_large-midas
    "501f0c75": (),  # dpt_hybrid-midas
    "f6b98070": (),  # midas_v21
    "2ce69ec7": ("nyu",),  # dpt_hybrid_nyu
    "cb926ef4": ("kitti",),  # dpt_hybrid_kitti
}
"""Beyond MIX 6, by the mark at the end of the file's name: the first digits of its SHA-256, as torch.hub wants it."""


def released_training(mark: str) -> tuple[str, ...]:
    """Names of the recipes behind the released file with this mark (8 digits); none for any other."""
    if mark not in _TUNED_ON:
        return ()
    return (*(member.recipe for member in MIXES.load("mix6").members), *_TUNED_ON[mark])
