"""Runs the trap tests on a copy of the package, whole and then with one mutant after another: a JSON line each.

Usage: spring_mutants.py FOLDER, a copy with tests/. Every run is a fork of this process, which has loaded all libraries
but not the package, so that one takes a second rather than ten.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import tomllib
from pathlib import Path

import cv2  # noqa: F401
import h5py  # noqa: F401
import jinja2  # noqa: F401
import numpy as np  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pydantic  # noqa: F401
import pytest
import scipy.io  # noqa: F401
import zstandard  # noqa: F401


def run(folder: Path, chosen: str) -> tuple[int, str]:
    """Exit status and output of pytest over the chosen trap tests of the copy."""
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            status = 99
            with contextlib.suppress(BaseException):
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                os.chdir(folder)
                sys.path.insert(0, str(folder))
                command = [
                    "tests/evaluation/test_protocol_traps.py",
                    "-q",
                    "-x",
                    "-k",
                    chosen,
                    "-p",
                    "no:cacheprovider",
                ]
                status = int(pytest.main(command))
                sys.stdout.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return status, output.read()[-2000:]


def main(folder: Path) -> None:
    sys.dont_write_bytecode = True
    status, output = run(folder, "test_trap")
    print(json.dumps({"place": -1, "status": status, "output": output}), flush=True)
    mutants = tomllib.loads((folder / "tests/evaluation/trap_mutants.toml").read_text())["mutants"]
    for place, mutant in enumerate(mutants):
        file = folder / mutant["file"]
        whole = file.read_text()
        if mutant["old"] not in whole:
            print(json.dumps({"place": place, "status": -1, "output": "no such place in the code"}), flush=True)
            continue
        file.write_text(whole.replace(mutant["old"], mutant["new"]))
        status, output = run(folder, f"test_trap_{mutant['trap']:02}")
        file.write_text(whole)
        print(json.dumps({"place": place, "status": status, "output": output}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
