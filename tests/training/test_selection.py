from __future__ import annotations

import pytest

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.shards import open_shards
from dpt_bench.training.config import DataChoice
from dpt_bench.training.selection import select_datasets


def test_all_that_is_there(shards_url: str) -> None:
    selection = select_datasets(open_shards(shards_url), DataChoice(mix="mix6"))
    assert selection.names == ("redweb", "tartanair")
    assert selection.weights is None
    assert selection.described == "mix6 (2 of 3: redweb, tartanair)"


def test_a_part_with_the_weights_of_the_mix(shards_url: str) -> None:
    selection = select_datasets(open_shards(shards_url), DataChoice(datasets=("tartanair",), weights="mix"))
    assert selection.names == ("tartanair",)
    assert selection.weights == {"tartanair": 2.0}
    assert selection.described == "mix6 (1 of 3: tartanair)"


def test_what_does_not_fit_is_refused(shards_url: str) -> None:
    with pytest.raises(UsageError, match="mix5") as caught:
        select_datasets(open_shards(shards_url), DataChoice(mix="mix5"))
    assert "data.mix=mix6" in str(caught.value)
    with pytest.raises(UnknownNameError, match="redweb"):
        select_datasets(open_shards(shards_url), DataChoice(datasets=("redwep",)))
