from __future__ import annotations

import pickle

import pytest

from dpt_bench.core.errors import DataError, DptBenchError, FormatError, SampleError, UnknownNameError, UsageError


def test_an_error_is_one_block_of_what_where_and_what_to_do() -> None:
    error = UsageError("no images", where="raw/kitti", fix="unpack it")
    assert str(error) == "no images\n  where: raw/kitti\n  to do: unpack it"


def test_where_and_fix_are_left_out_when_unknown() -> None:
    assert str(DataError("broken")) == "broken"


@pytest.mark.parametrize(("kind", "code"), [(DptBenchError, 1), (DataError, 1), (UsageError, 2)])
def test_exit_codes(kind: type[DptBenchError], code: int) -> None:
    assert kind("x").exit_code == code


def test_unknown_name_suggests_the_nearest() -> None:
    error = UnknownNameError("recipe", "kity", ["nyu", "kitti", "tum"])
    assert "did you mean 'kitti'" in str(error)
    assert "kitti, nyu, tum" in str(error)
    assert error.exit_code == 2


@pytest.mark.parametrize(
    "error",
    [
        UsageError("a", where="b", fix="c"),
        SampleError("flat", "a", where="b"),
        FormatError("cut short", where="x.png"),
        UnknownNameError("mix", "mix7", ["mix6"]),
    ],
)
def test_errors_travel_between_processes_whole(error: DptBenchError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_a_format_error_is_a_sample_error_with_a_reason() -> None:
    error = FormatError("cut short")
    assert isinstance(error, SampleError)
    assert error.reason == "corrupt-file"
