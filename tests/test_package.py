from __future__ import annotations

import subprocess
import sys

import dpt_bench


def test_importing_the_package_imports_no_torch_and_no_ray() -> None:
    code = "import sys, dpt_bench; assert not {'torch', 'ray', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_public_functions_are_found() -> None:
    assert dpt_bench.__all__ == ["build", "evaluate", "load_model", "load_predictor", "train"]
    for name in dpt_bench.__all__:
        assert callable(getattr(dpt_bench, name)), name
    assert {*dpt_bench.__all__, "__doc__"} <= {*dir(dpt_bench)}, "what an interactive prompt offers"


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    assert not hasattr(dpt_bench, "no_such_thing")
