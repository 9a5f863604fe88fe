"""What can be chosen about the system on one machine? (deploy/local.py)"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LocalOptions:
    """`data_dir` None: a throw-away folder. A port None or 0: any free one, as all further processes get."""

    data_dir: Path | None = None
    api_port: int | None = None
    temporal_port: int | None = None
    ui_port: int | None = None
    postgres_port: int | None = None
    smtp_port: int | None = None
    with_ui: bool = True
    virtual_time: bool = False
    api_processes: int = 1
    worker_processes: int = 1
    build: str = "local"
    otlp_endpoint: str | None = None
    versioning: str = "pinned"
