"""Where things are when nobody says: one folder a purpose below the current one, or an environment variable."""

from __future__ import annotations

from typing import Annotated

import typer

RawFolder = Annotated[
    str, typer.Option("--raw", envvar="DPT_BENCH_RAW", help="Folder with one raw tree a dataset, by recipe name.")
]
ShardsUrl = Annotated[
    str, typer.Option("--shards", envvar="DPT_BENCH_SHARDS", help="Folder or fsspec URL of the shards.")
]
OutShards = Annotated[
    str, typer.Option("--out", envvar="DPT_BENCH_SHARDS", help="Folder or fsspec URL for the shards.")
]
EvalFolder = Annotated[
    str, typer.Option("--data", envvar="DPT_BENCH_EVAL", help="Folder with one evaluation set each, by recipe name.")
]
RAW, SHARDS, EVAL, RUNS, RESULTS, SITE = "raw", "shards", "eval", "runs", "results", "site"
INSPECTION = "inspection"
