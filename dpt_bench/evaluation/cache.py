"""Predictions kept on disk by what they depend on, so that another suite scores them without running the network."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import package_version, sha256_of_file, sources_sha256
from dpt_bench.core.suite import ResizeRule
from dpt_bench.formats import npy_zst
from dpt_bench.predictors import Prediction, Predictor, Query
from dpt_bench.results.atomic import write_atomically

_LIBRARIES = ("onnxruntime", "onnxruntime-gpu", "opencv-python-headless", "torch", "transformers")
PREDICTING = ("core", "formats", "model", "predictors", "resize.py")
"""The parts of the package that run between an image and its prediction: their code is in every entry's name."""
_FORMAT = b"dpt-bench prediction 1\n"
_ENDING = ".prediction"
_KEPT_SHARE = 0.9  # of max_bytes that stay where old entries had to go
_RECOUNT_SHARE = 0.05  # of max_bytes, after which a process looks at what the others have written


@dataclass
class PredictionCache:
    """A folder of predictions that any number of processes may use at once.

    An entry's name is the SHA-256 of the image's pixels and the rest of the query, the weights, the preprocessing, the
    source code of this package that predicts (committed or not), the file that defines the predictor, and the versions
    of the libraries that run networks. What else a predictor of the user's imports is not in it. An entry's content
    carries its own checksum, so that a damaged one is predicted again. Entries appear by rename. Above `max_bytes`
    those go first that were used the longest time ago.
    """

    folder: Path
    max_bytes: int
    settings: Mapping[str, str] = field(default_factory=dict)
    _total: int = field(default=0, init=False)
    _written: int = field(default=0, init=False)
    _full: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room()
        except OSError as error:
            raise UsageError(
                f"the cache cannot be written: {error.strerror}", where=self.folder, fix="choose another --cache"
            ) from error

    def name(self, model: Predictor, query: Query, size_rule: ResizeRule | None) -> str:
        """The entry's name: everything that the contract of a predictor lets a prediction depend on."""
        facts = {
            "checkpoint": model.checkpoint_sha256,
            "model": [model.name, type(model).__module__, type(model).__qualname__, model.kind, model.preprocessing],
            "settings": dict(self.settings),
            "input": model.input_words(size_rule),
            "query": [query.dataset, query.key, asdict(query.camera) if query.camera else None, query.image.shape],
            "software": [package_version(), sources_sha256(*PREDICTING), _code_of(type(model)), _library_versions()],
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        digest.update(np.ascontiguousarray(query.image).data)
        return digest.hexdigest()

    def get(self, name: str) -> Prediction | None:
        """The entry, None where there is none or it is damaged."""
        path = self._path(name)
        try:
            data = path.read_bytes()
            prediction = _decode(data)
        except (OSError, FormatError, ValueError):
            return None
        with suppress(OSError):  # another process may have dropped it meanwhile
            os.utime(path)
        return prediction

    def put(self, name: str, prediction: Prediction) -> None:
        """Keep a prediction. A full disk only ends the writing: the evaluation does not depend on it."""
        if self._full:
            return
        data = _encode(prediction)
        try:
            write_atomically(self._path(name), data, durable=False)
        except OSError:
            self._full = True
            return
        self._total += len(data)
        self._written += len(data)
        if self._total > self.max_bytes or self._written > _RECOUNT_SHARE * self.max_bytes:
            self._make_room()

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name}{_ENDING}"

    def _make_room(self) -> None:
        """Count what is there, other processes' entries too, and drop the oldest of it where it is too much."""
        entries = []
        for path in self.folder.glob(f"??/*{_ENDING}"):
            try:
                facts = path.stat()
            except OSError:  # another process dropped it meanwhile
                continue
            entries.append((facts.st_mtime_ns, facts.st_size, path))
        self._written = 0
        self._total = sum(size for _, size, _ in entries)
        if self._total <= self.max_bytes:
            return
        for _, size, path in sorted(entries):
            if self._total <= _KEPT_SHARE * self.max_bytes:
                return
            path.unlink(missing_ok=True)
            self._total -= size


class CachedPredictor:
    """A predictor whose predictions are looked up first; the same numbers as without the cache.

    Bit for bit where device and batches are the same: they are not part of an entry's name.
    """

    def __init__(self, model: Predictor, cache: PredictionCache) -> None:
        self.name = model.name
        self.kind: DepthKind = model.kind
        self.preprocessing: Literal["suite", "own"] = model.preprocessing
        self.checkpoint_sha256 = model.checkpoint_sha256
        self.trained_on = model.trained_on
        self.n_found = 0
        self._model = model
        self._cache = cache

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """Predictions in the order of the queries; the network sees those that the cache lacks."""
        names = [self._cache.name(self._model, query, size_rule) for query in queries]
        found = {name: prediction for name in names if (prediction := self._cache.get(name)) is not None}
        self.n_found += len(found)
        open_queries = {name: query for name, query in zip(names, queries, strict=True) if name not in found}
        if open_queries:
            made = self._model.predict(list(open_queries.values()), size_rule)
            for name, prediction in zip(open_queries, made, strict=True):
                self._cache.put(name, prediction)
                found[name] = prediction
        return [found[name] for name in names]

    def input_words(self, size_rule: ResizeRule | None) -> str:
        return self._model.input_words(size_rule)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._model(image)


def cached(model: Predictor, cache: PredictionCache) -> Predictor:
    """The predictor behind the cache; as it is where it has no checksum, as nothing tells its weights from others."""
    return model if model.checkpoint_sha256 is None else CachedPredictor(model, cache)


@cache
def _code_of(predictor: type) -> str | None:
    """Checksum of the file that defines a class, None where it has none (a notebook, a REPL)."""
    try:
        return sha256_of_file(Path(inspect.getfile(predictor)))
    except (OSError, TypeError):
        return None


@cache
def _library_versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _encode(prediction: Prediction) -> bytes:
    height, width = prediction.input_size
    body = f"{height} {width}\n".encode() + npy_zst.encode(prediction.values)
    return _FORMAT + hashlib.sha256(body).digest() + body


def _decode(data: bytes) -> Prediction:
    start = len(_FORMAT) + hashlib.sha256().digest_size
    body = data[start:]
    if data[: len(_FORMAT)] != _FORMAT or hashlib.sha256(body).digest() != data[len(_FORMAT) : start]:
        raise ValueError("damaged")
    header, _, values = body.partition(b"\n")
    height, width = header.split()
    return Prediction(npy_zst.decode(values), (int(height), int(width)))
