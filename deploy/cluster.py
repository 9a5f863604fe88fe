"""How do people see the topology of production on one machine? (`./dev cluster`)

Two API processes, a worker for each task queue, PostgreSQL, Temporal. Kill any of them by its number: it comes
back, and no course notices more than a wait. Otherwise it is as `./dev up`, with a data folder of its own.
"""

from __future__ import annotations

import sys

from deploy.local_cluster import LocalCluster
from deploy.up import Kind, main
from services.process import end_process

CLUSTER = Kind(
    "cluster",
    "The topology of production as processes of this machine: API ×2, a worker for each queue. "
    "What is killed comes back.",
    LocalCluster,
)

if __name__ == "__main__":
    end_process(main(sys.argv[1:], CLUSTER))
