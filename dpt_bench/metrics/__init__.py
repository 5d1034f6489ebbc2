"""One number for one image, a metric a file: absolute relative error, threshold shares, root mean squares."""

from dpt_bench.metrics._contract import AnyMetric, Metric, OrdinalMetric, load_metric
from dpt_bench.metrics._pixel_means import PixelMean, pixel_means

__all__ = ["AnyMetric", "Metric", "OrdinalMetric", "PixelMean", "load_metric", "pixel_means"]
