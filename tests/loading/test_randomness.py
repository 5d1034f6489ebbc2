from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.loading.randomness import Stream


def test_the_numbers_are_those_of_all_releases() -> None:
    """A change here would break every saved position: Philox keyed by blake2b of the words, upper 53 bits."""
    assert Stream(0, "order", "redweb", 0).permutation(8).tolist() == ORDER
    assert np.allclose(Stream(7, "mix", 3).uniform(3), MIX, rtol=0, atol=0)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(0, 300), seed=st.integers(0, 5))
def test_permutations_hold_every_number_once(count: int, seed: int) -> None:
    assert sorted(Stream(seed, "x").permutation(count).tolist()) == list(range(count))


def test_words_are_told_apart() -> None:
    first = Stream(1, "a", 23).uniform(4)
    for words in ((1, "a", 2, 3), (1, "a2", 3), (12, "a", 3), (1, "b", 23)):
        assert not np.array_equal(first, Stream(*words).uniform(4))


def test_a_stream_goes_on_where_it_was() -> None:
    stream = Stream(5)
    parts = np.concatenate([stream.uniform(3), stream.uniform(2)])
    assert np.array_equal(parts, Stream(5).uniform(5))
    assert ((parts >= 0) & (parts < 1)).all()


def test_uniform_is_uniform() -> None:
    counts, _ = np.histogram(Stream(9).uniform(20_000), bins=10, range=(0, 1))
    assert abs(counts - 2000).max() < 200


ORDER = [3, 4, 2, 0, 6, 1, 7, 5]
MIX = [0.5828484536021344, 0.36319216617494177, 0.11002236035127466]
