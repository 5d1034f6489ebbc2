from __future__ import annotations

import gc
import io
import json
import warnings
from typing import Any

import numpy as np
import pytest
import webdataset
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dpt_bench.core.errors import FormatError, SampleError
from dpt_bench.shards import decoder
from dpt_bench.shards.codec import (
    INVERSE_DEPTH,
    LABELS,
    STEPS,
    ShardSample,
    decode_members,
    dequantise,
    encode_members,
    is_valid_key,
    quantise,
)


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(0, 1) | st.just(np.nan)))
def test_quantising_is_off_by_half_a_step_at_most(values: np.ndarray[Any, Any]) -> None:
    back = dequantise(quantise(values))
    assert back.dtype == np.float32
    assert np.array_equal(np.isnan(back), np.isnan(values))
    assert np.nanmax(np.abs(back - values), initial=0) <= 0.5 / STEPS + 2**-24


def test_every_code_survives_the_round_trip() -> None:
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(quantise(dequantise(codes)), codes)


def test_codes_of_the_ends() -> None:
    assert quantise(np.array([0.0, 1.0, np.nan])).tolist() == [1, 65535, 0]


def test_a_sample_survives_the_round_trip(making: Any) -> None:
    sample = making.sample("a/b")
    members = encode_members(sample)
    assert list(members) == ["jpg", "inverse_depth.npy.zst", "sky.png", "json"]
    back = decode_members("a/b", members)
    assert back.image.shape == sample.image.shape
    assert np.array_equal(np.isnan(back.inverse_depth), np.isnan(sample.inverse_depth))
    assert np.nanmax(np.abs(back.inverse_depth - sample.inverse_depth)) <= 0.5 / STEPS + 2**-24
    assert np.array_equal(back.sky, sample.sky)
    assert back.labels is None
    assert back.meta == sample.meta
    assert back.valid_fraction == sample.valid_fraction == 0.95


def test_labels_survive_the_round_trip() -> None:
    labels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    labels[0, :] = 255
    members = encode_members(ShardSample("k", np.zeros((8, 8, 3), np.uint8), labels=labels, meta={"ignore": 255}))
    assert list(members) == ["jpg", "labels.png", "json"]
    back = decode_members("k", members)
    assert np.array_equal(back.labels, labels)
    assert back.valid_fraction == 0.875


def test_the_target_is_a_plain_npy_in_a_zstd_frame(making: Any) -> None:
    data = encode_members(making.sample("k"))[INVERSE_DEPTH]
    codes = np.load(io.BytesIO(zstandard.ZstdDecompressor().decompress(data)))
    assert codes.dtype == np.uint16
    assert codes.shape == (20, 30)


def test_the_same_sample_gives_the_same_bytes(making: Any) -> None:
    first, second = encode_members(making.sample("k")), encode_members(making.sample("k"))
    assert first == second
    assert encode_members(making.sample("k"), jpeg_quality=80)["jpg"] != first["jpg"]


def test_facts_that_are_no_json_reject_the_sample(making: Any) -> None:
    sample = making.sample("k")
    sample.meta["lo"] = float("nan")
    with pytest.raises(SampleError, match="not JSON") as error:
        encode_members(sample)
    assert error.value.reason == "bad-notes"


def test_a_sample_needs_exactly_one_target(making: Any) -> None:
    sample = making.sample("k")
    with pytest.raises(SampleError, match="either"):
        encode_members(ShardSample("k", sample.image))
    both = encode_members(sample) | {LABELS: b""}
    with pytest.raises(FormatError, match=r"labels\.png"):
        decode_members("k", both)


@pytest.mark.parametrize("ending", ["jpg", "json", "inverse_depth.npy.zst"])
def test_a_missing_member_is_told(making: Any, ending: str) -> None:
    members = encode_members(making.sample("k"))
    del members[ending]
    with pytest.raises(FormatError) as error:
        decode_members("k", members)
    assert error.value.reason == "missing-member"


def test_a_target_of_another_size_is_told(making: Any) -> None:
    members = encode_members(making.sample("k"))
    members[INVERSE_DEPTH] = encode_members(making.sample("k", size=(10, 30)))[INVERSE_DEPTH]
    with pytest.raises(FormatError, match=r"\(20, 30\)"):
        decode_members("k", members)


@pytest.mark.parametrize("data", [b"", b"[1]", b"\xff", json.dumps({"a": 1}).encode()[:-1]])
def test_corrupt_facts_are_told(making: Any, data: bytes) -> None:
    members = encode_members(making.sample("k")) | {"json": data}
    with pytest.raises(FormatError, match="JSON"):
        decode_members("k", members)


@pytest.mark.parametrize("key", ["a", "a/b", "A-1_/0"])
def test_good_keys(key: str) -> None:
    assert is_valid_key(key)


@pytest.mark.parametrize("key", ["", "a.b", "/a", "a/", "a//b", "a b", "ä", "a\n", "../a"])
def test_bad_keys(key: str) -> None:
    assert not is_valid_key(key)


def test_a_plain_webdataset_pipeline_reads_the_shards(folder: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # webdataset leaves the file to the garbage collector
        pipeline = webdataset.WebDataset(str(folder / "toy" / "train-00000.tar"), shardshuffle=False).decode(decoder)
        samples = list(pipeline)
        del pipeline
        gc.collect()
    assert [sample["__key__"] for sample in samples] == ["a/0", "a/1", "b/0"]
    assert samples[0]["jpg"].shape == (20, 30, 3)
    assert samples[0]["inverse_depth.npy.zst"].dtype == np.float32
    assert np.isnan(samples[0]["inverse_depth.npy.zst"][0]).all()
    assert samples[0]["sky.png"].dtype == np.bool_
    assert samples[0]["json"]["hi"] == 2.0


def test_the_decoder_leaves_other_endings_alone() -> None:
    assert decoder(".txt", b"abc") is None
