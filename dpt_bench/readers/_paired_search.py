"""Finds the files of `paired_files` that belong together, and says which split an image falls to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from dpt_bench.core.recipe import Recipe
from dpt_bench.readers._paired_layout import Layout, compile_pattern, readings
from dpt_bench.readers._splits import load_split_list
from dpt_bench.readers._tree import count, files_below, without_image

Values = tuple[str, ...]
"""What the {names} of a layout stand for, in the order of `image`."""


@dataclass(frozen=True)
class Found:
    """Paths by values of {names}: images by all, targets and masks by those in the places `shared`.

    A target may lack {names} of the image, such as the pass of a film, and then serves several images. doubled: images
    whose {names} another path had already.
    """

    images: dict[Values, str]
    targets: dict[Values, str]
    masks: dict[Values, list[str]]
    shared: Sequence[int]
    doubled: list[str] = field(default_factory=list)

    @property
    def lonely_targets(self) -> list[str]:
        """Targets that belong to no image."""
        known = set(map(self._shared, self.images))
        return [path for values, path in self.targets.items() if values not in known]

    def target(self, values: Values) -> str | None:
        """The target of an image."""
        return self.targets.get(self._shared(values))

    def files(self, values: Values) -> list[str]:
        """Image, target and masks of one item; the image alone where the target is missing."""
        target = self.target(values)
        if target is None:
            return [self.images[values]]
        return [self.images[values], target, *self.masks.get(self._shared(values), [])]

    def _shared(self, values: Values) -> Values:
        return tuple([values[place] for place in self.shared])


def search(root: Path, layout: Layout) -> Found:
    """Look at every file below the root once; of a file that was unpacked twice the first path counts.

    Raises:
        UsageError: a folder cannot be read.
    """
    shared = [name for name in layout.names if f"{{{name}}}" in layout.target]
    found = Found({}, {}, {}, _places(layout, shared))
    image = compile_pattern(layout.image)
    partners = {pattern: compile_pattern(pattern) for pattern in (layout.target, *layout.masks)}
    others: list[tuple[str, str, Values]] = []
    for path in sorted(files_below(root)):
        match = image.fullmatch(path)
        if match is not None and not matches(path, layout.exclude):
            names = tuple([match[name] for name in layout.names])
            if found.images.setdefault(names, path) != path:
                found.doubled.append(path)
        for pattern, compiled in partners.items():
            if (match := compiled.fullmatch(path)) is not None:
                others.append((pattern, path, tuple([match[name] for name in shared])))
    known = {tuple([values[place] for place in found.shared]) for values in found.images}
    for pattern, path, longest in others:
        values = (
            longest if longest in known or "*" not in pattern else _shorter(pattern, path, shared, known) or longest
        )
        if pattern == layout.target:
            found.targets.setdefault(values, path)
        else:
            found.masks.setdefault(values, []).append(path)
    return found


def _shorter(pattern: str, path: str, shared: Sequence[str], known: Set[Values]) -> Values | None:
    """The {names} of a target or mask by the longest {stem} that an image has: * may have cut off too little."""
    ways = [tuple([match[name] for name in shared]) for match in readings(pattern, path)]
    return next((values for values in reversed(ways) if values in known), None)


def of_split(items: Sequence[Values], recipe: Recipe, layout: Layout, split: str) -> list[Values]:
    """The items of a split: by its folder, by its list or those of the others, by held-out scenes, by hash."""
    chosen = _by_list(_by_folder(items, layout, split), recipe, layout, split)
    if layout.val_scenes:
        places, held_out = _places(layout, layout.scene_names), set(layout.val_scenes)
        return [one for one in chosen if any(one[place] in held_out for place in places) == (split == "val")]
    if layout.val_fraction is not None:
        ranked = sorted(chosen, key=_sha1)
        num_val = max(1, round(len(ranked) * layout.val_fraction))
        return ranked[:num_val] if split == "val" else ranked[num_val:]
    return chosen


def listed_numbers(recipe: Recipe, split: str) -> Mapping[str, set[int]]:
    """Scene -> numbers of its listed images; empty where the split has no list."""
    if recipe.splits[split].list_file is None:
        return {}
    return {scene: set(numbers) for scene, numbers in load_split_list(recipe, split).items()}


def scene_of(values: Values, layout: Layout) -> str:
    """Where the image was taken, as lists name it; "" where the layout knows no scenes."""
    return "/".join(values[place] for place in _places(layout, layout.scene_names))


def matches(path: str, tails: Sequence[str]) -> bool:
    """Whether a path ends as one of the tails, in which * and ? stand for any characters; cases do not matter."""
    return any(fnmatchcase(path.lower(), f"*{tail.lower()}") for tail in tails)


def left_out(found: Found, recipe: Recipe, layout: Layout, split: str) -> list[str]:
    """Remarks on what is in no row of the split: for people who miss something."""
    twin = min(found.doubled, default="")
    lines = [without_image(found.lonely_targets), count(len(found.doubled), f"images there twice, such as {twin}")]
    if "split" in layout.names:
        place = layout.names.index("split")
        strange = Counter(values[place] for values in found.images if values[place] not in recipe.splits)
        lines += [count(number, f"images in the folder {name}, which is no split") for name, number in strange.items()]
    if listed := sum(map(len, listed_numbers(recipe, split).values())):
        absent = listed - len(of_split(list(found.images), recipe, layout, split))
        lines.append(count(absent, f"of {listed:,} listed images not found"))
    return lines


def _places(layout: Layout, names: Sequence[str]) -> list[int]:
    return [layout.names.index(name) for name in names]


def _by_folder(items: Sequence[Values], layout: Layout, split: str) -> list[Values]:
    if "split" not in layout.names:
        return list(items)
    place = layout.names.index("split")
    return [values for values in items if values[place] == split]


def _by_list(items: list[Values], recipe: Recipe, layout: Layout, split: str) -> list[Values]:
    listed = listed_numbers(recipe, split)
    if listed:
        return [values for values in items if _is_in(values, listed, layout)]
    others = [listed_numbers(recipe, other) for other in recipe.splits if other != split]
    return [values for values in items if not any(_is_in(values, other, layout) for other in others)]


def _is_in(values: Values, listed: Mapping[str, set[int]], layout: Layout) -> bool:
    stem = values[layout.names.index("stem")]
    return bool(listed) and stem.isdecimal() and int(stem) in listed.get(scene_of(values, layout), ())


def _sha1(values: Values) -> bytes:
    return hashlib.sha1("/".join(values).encode(), usedforsecurity=False).digest()
