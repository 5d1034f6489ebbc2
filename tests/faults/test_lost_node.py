"""A machine of a Ray cluster is lost while it converts."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head without CPUs and two nodes with one each, in processes of their own; this process stays outside."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own deprecations are not ours to mend
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv("RAY_health_check_period_ms", "500")
        patch.setenv("RAY_health_check_failure_threshold", "3")
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            cluster.nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
            yield cluster
        finally:
            cluster.shutdown()


@pytest.mark.slow
def test_a_lost_node(trial: Any, cluster: Any) -> None:
    """The driver finds the cluster by RAY_ADDRESS; the shards of a lost node are made by the one that is left."""
    trial.disturb("hold", times=2)
    driver = trial.start_build(executor="ray", environment={"RAY_ADDRESS": cluster.address})
    trial.wait_until_it_happens(2)  # one on either node
    cluster.remove_node(cluster.nodes[0], allow_graceful=False)
    trial.calm()
    _, errors = trial.words_of(driver)
    assert driver.returncode == 0, errors
    trial.assert_as_undisturbed()
    trial.build()
    trial.assert_as_undisturbed()
