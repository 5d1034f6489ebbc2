"""`python -m dpt_bench.evaluation.worker`: one part of a shared run, described on standard input."""

from __future__ import annotations

import sys

from dpt_bench.core.errors import DptBenchError
from dpt_bench.evaluation.shared import PartJob


def main() -> int:
    """Exit status: 0 done, 1 the part could not be worked off, with the reason on standard error."""
    try:
        PartJob.model_validate_json(sys.stdin.read()).run()
    except DptBenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
