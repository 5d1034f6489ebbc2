from __future__ import annotations

import numpy as np
import torch

from dpt_bench.training.multi_objective.min_norm import min_norm_weights, optimality_gap


def test_min_norm_weights_of_ten_datasets(compare) -> None:
    """Nearly orthogonal gradients whose norms spread tenfold, as those of datasets do."""
    from torchjd.aggregation import MGDAWeighting

    rng = np.random.default_rng(0)
    vectors = (np.eye(10, 200) + 0.05 * rng.normal(size=(10, 200))) * 10.0 ** rng.uniform(-0.5, 0.5, (10, 1))
    gram = vectors @ vectors.T
    theirs = MGDAWeighting()
    matrix = torch.from_numpy(gram)
    largest = gram.diagonal().max()
    gaps = [optimality_gap(gram, weights) / largest for weights in (min_norm_weights(gram), theirs(matrix).numpy())]
    print(
        f"\ngap to the optimum, relative to the largest squared norm: ours {gaps[0]:.1e}, torchjd's default {gaps[1]:.1e}"
    )
    assert gaps[0] < 1e-9
    assert (
        compare(
            "min-norm weights, 10 datasets",
            lambda: min_norm_weights(gram),
            "torchjd's MGDA, default",
            lambda: theirs(matrix),
        )
        > 0
    )
