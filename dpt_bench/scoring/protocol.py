"""What a protocol asks of predictions and targets, checked once, before any image is read."""

from __future__ import annotations

from functools import cache

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.kinds import DepthKind, can_score_as
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.metrics import AnyMetric, Metric, OrdinalMetric, load_metric

_REQUIRED = {
    ("disparity", "scale_and_shift"): DepthKind.AFFINE_DISPARITY,
    ("disparity", "scale"): DepthKind.SCALE_INVARIANT_DISPARITY,
    ("disparity", "none"): DepthKind.METRIC_DISPARITY,
    ("depth", "scale_and_shift"): DepthKind.AFFINE_DEPTH,
    ("depth", "scale"): DepthKind.SCALE_INVARIANT_DEPTH,
    ("depth", "none"): DepthKind.METRIC_DEPTH,
    # A shift of the logarithm is a scale of the depth; the logarithm of affine depth means nothing.
    ("log_depth", "scale_and_shift"): DepthKind.SCALE_INVARIANT_DEPTH,
    ("log_depth", "scale"): DepthKind.SCALE_INVARIANT_DEPTH,
    ("log_depth", "none"): DepthKind.METRIC_DEPTH,
}


def required_kind(protocol: SuiteDataset) -> DepthKind:
    """The weakest kind of prediction that the settled protocol's alignment, or its ordinal metrics, can score."""
    if _is_ordinal(protocol):
        return DepthKind.ORDINAL
    return _REQUIRED[protocol.space, protocol.alignment]


@cache
def load_metrics(names: tuple[str, ...]) -> dict[str, AnyMetric]:
    """Name -> metric, in the order of the names.

    Raises:
        UnknownNameError: no metric has a name.
    """
    return {name: load_metric(name) for name in names}


def dense_metrics(protocol: SuiteDataset) -> dict[str, Metric]:
    """The protocol's metrics, for a map.

    Raises:
        SampleError: they compare point pairs.
    """
    found = {name: metric for name, metric in load_metrics(protocol.metrics).items() if isinstance(metric, Metric)}
    if not found:
        raise SampleError("wrong-target", "the target is a map, but the protocol compares ordered point pairs")
    return found


def ordinal_metrics(protocol: SuiteDataset) -> dict[str, OrdinalMetric]:
    """The protocol's metrics, for ordered point pairs.

    Raises:
        SampleError: they compare maps.
    """
    loaded = load_metrics(protocol.metrics)
    found = {name: metric for name, metric in loaded.items() if isinstance(metric, OrdinalMetric)}
    if not found:
        raise SampleError("wrong-target", "the target is ordered point pairs, but the protocol compares maps")
    return found


def check_predictor(name: str, kind: DepthKind, protocol: SuiteDataset) -> None:
    """Refuse a prediction that is weaker than the protocol's alignment allows.

    Raises:
        UsageError: with the reason.
    """
    protocol = protocol.for_prediction(kind)
    wanted = required_kind(protocol)
    if can_score_as(kind, wanted):
        return
    if kind.strength < wanted.strength:
        reason = f"{kind} is weaker: what is unknown in it is not what this alignment removes"
    else:
        reason = f"the unknown shift in {kind} makes its reciprocal meaningless, so it cannot become {wanted}"
    space = "disparity" if kind.is_disparity else "depth"
    raise UsageError(
        f"{name} predicts {kind}, but {protocol.recipe} is scored as {wanted}: {reason}",
        where=f"{protocol.recipe}: alignment {protocol.alignment} in {protocol.alignment_space}",
        fix=f"choose a suite that aligns in {space} (`dpt-bench list suites`), or a model that predicts {wanted}",
    )


def check_target(kind: DepthKind, protocol: SuiteDataset) -> None:
    """Refuse a protocol that asks more of the dataset's targets than they say, in whatever space it may be settled.

    Raises:
        UsageError: a metric, the alignment's space, a cap or a range means nothing for targets of this kind.
    """
    if _is_ordinal(protocol) and kind is DepthKind.ORDINAL:
        _check_pairs(protocol)
        return
    if protocol.alignment_space == "prediction":
        for space_of in (DepthKind.AFFINE_DISPARITY, DepthKind.AFFINE_DEPTH):
            check_target(kind, protocol.for_prediction(space_of))
        return
    metrics = load_metrics(protocol.metrics)
    space = DepthKind.AFFINE_DISPARITY if protocol.alignment_space == "disparity" else DepthKind.AFFINE_DEPTH
    in_metres = protocol.cap_m is not None or protocol.target_range_m != (0.0, float("inf"))
    problem = None
    if pairwise := [name for name, metric in metrics.items() if isinstance(metric, OrdinalMetric)]:
        problem = f"metric {pairwise[0]} needs ordered point pairs"
    elif unmet := [name for name, metric in metrics.items() if not can_score_as(kind, metric.needs)]:
        problem = f"metric {unmet[0]} needs {metrics[unmet[0]].needs}"
    elif not can_score_as(kind, space):
        problem = f"the alignment is in {protocol.alignment_space}"
    elif in_metres and not kind.is_metric:
        problem = "cap_m and target_range_m are in metres"
    elif protocol.cap_at_farthest and kind.is_affine:
        problem = "cap_at_farthest needs a depth"
    if problem:
        raise UsageError(
            f"{protocol.recipe} has targets of kind {kind}, but {problem}",
            where=f"the suite's entry for {protocol.recipe}",
            fix="choose metrics and an alignment that suit the targets",
        )
    through_reciprocal = [name for name, metric in metrics.items() if not metric.needs.is_disparity]
    uncapped = protocol.cap_m is None and not protocol.cap_at_farthest
    if protocol.alignment_space == "disparity" and uncapped and through_reciprocal:
        raise UsageError(
            f"{through_reciprocal[0]} is measured in depth, but aligned disparity may be zero or negative",
            where=f"the suite's entry for {protocol.recipe}",
            fix="set cap_m (disparity is floored at 1 / cap_m before the reciprocal) or cap_at_farthest",
        )


def _check_pairs(protocol: SuiteDataset) -> None:
    """Refuse what would be ignored where points are compared."""
    metres = protocol.cap_m is not None or protocol.target_range_m != (0.0, float("inf"))
    unused = {"an alignment": protocol.alignment != "none", "cap_m or target_range_m": metres}
    unused |= {"cap_at_farthest": protocol.cap_at_farthest, "an input_crop": protocol.input_crop != "none"}
    unused |= {"a crop": protocol.crop != "none", "an upsample other than bilinear": protocol.upsample != "bilinear"}
    for name, stated in unused.items():
        if stated:
            raise UsageError(
                f"{protocol.recipe} has ordered point pairs, and {name} means nothing for them",
                where=f"the suite's entry for {protocol.recipe}",
                fix='set alignment = "none" and leave cap_m, target_range_m, crop and upsample out',
            )


def _is_ordinal(protocol: SuiteDataset) -> bool:
    return all(isinstance(metric, OrdinalMetric) for metric in load_metrics(protocol.metrics).values())
