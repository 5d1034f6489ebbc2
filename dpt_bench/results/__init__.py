"""Result rows, their journal and parquet store, summary and wide table, statistics, and the published numbers."""

from dpt_bench.results.schema import RESULT_SCHEMA, Cell, ImageResult, MetricFacts, Score
from dpt_bench.results.statistics import PairedDifference, bootstrap_interval, improvement, paired_difference
from dpt_bench.results.store import ResultStore, read_results
from dpt_bench.results.summary import SummaryRow, read_summary

__all__ = [
    "RESULT_SCHEMA",
    "Cell",
    "ImageResult",
    "MetricFacts",
    "PairedDifference",
    "ResultStore",
    "Score",
    "SummaryRow",
    "bootstrap_interval",
    "improvement",
    "paired_difference",
    "read_results",
    "read_summary",
]
