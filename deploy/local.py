"""How does the whole system run on one machine?

PostgreSQL, Temporal and the sinks first, then the schema, then workers and API as processes of their own, as they
run anywhere: configured by KAP_ variables only. Used by `./dev demo`, `./dev up` and the end-to-end tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deploy.child import Child
from deploy.data_folder import DataFolder
from deploy.deployment_versions import make_current
from deploy.keys import KEY_ID, LocalKeys, keys_of
from deploy.local_options import LocalOptions as LocalOptions
from deploy.ports import LOOPBACK, choose_ports
from deploy.postgres import PostgresServer
from deploy.scraped import Scraped, metrics_ports
from deploy.sms_sink import SMS, SmsSink
from deploy.smtp_sink import SmtpSink
from deploy.temporal_server import TemporalServer
from deploy.tokens import AUDIENCE, DEMO_SITE, DEMO_STAFF, ISSUER_URL
from deploy.waiting import in_threads, until_healthy
from workers.search_attributes import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from services.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "kap"
PAGED = tuple(role for role in DEMO_STAFF if role != "auditor")
WATCH_EVERY_S = 0.5

API, TEMPORAL, WEB_UI = "the API", "Temporal", "Temporal Web UI"
CODEC, POSTGRES, MAIL = "the codec endpoint", "PostgreSQL", "the mail sink"


def _no_progress(step: str) -> None:
    """Whoever does not ask is told nothing."""


class LocalSystem:
    """`async with LocalSystem(options) as system:` all answers inside the block, nothing is left after it.

    Raises PortTaken, DataFolderInUse, or StartFailed with the end of the log of what did not start.
    `progress` is called with the name of each step as it begins.
    """

    def __init__(
        self, options: LocalOptions | None = None, progress: Callable[[str], None] = _no_progress
    ) -> None:
        self.options = options or LocalOptions()
        self._progress = progress
        self._folder = DataFolder(self.options.data_dir)
        self.data_dir = self._folder.path
        self._apis: list[Child] = []
        self._codecs: list[Child] = []
        self._workers: list[Child] = []

    async def __aenter__(self) -> Self:
        self._folder.acquire()
        try:
            self.prepare()
            await self._start_all()
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_all()

    def prepare(self) -> None:
        """Choose every port before anything starts: a taken one is refused without side effects."""
        options = self.options
        wanted = {
            API: options.api_port,
            TEMPORAL: options.temporal_port,
            **({WEB_UI: options.ui_port, CODEC: None} if options.with_ui else {}),
            POSTGRES: options.postgres_port,
            MAIL: options.smtp_port,
            SMS: None,
        }
        wanted |= {f"API process {n + 1}": None for n in range(1, options.api_processes)}
        wanted |= {f"worker process {n + 1}": None for n in range(options.worker_processes)}
        wanted |= metrics_ports(options.api_processes, options.worker_processes, codec=options.with_ui)
        ports = choose_ports(wanted)
        self.scraped = Scraped(ports)
        self.keys: LocalKeys = keys_of(self.data_dir)
        self.api_ports = [
            port for name, port in ports.items() if name == API or name.startswith("API process")
        ]
        self.codec_port = ports.get(CODEC)
        self.worker_ports = [port for name, port in ports.items() if name.startswith("worker process")]
        self.smtp = SmtpSink(port=ports[MAIL], folder=self.data_dir / "mail")
        self.sms = SmsSink(self.keys.database_secret, port=ports[SMS], folder=self.data_dir / "sms")
        self.postgres = PostgresServer(
            self.data_dir / "postgres",
            secret=self.keys.database_secret,
            port=ports[POSTGRES],
            durable=self._folder.is_kept,
            log=self._log("postgres"),
        )
        self.temporal = TemporalServer(
            self._log("temporal"),
            port=ports[TEMPORAL],
            ui_port=ports.get(WEB_UI),
            with_ui=options.with_ui,
            database=self.data_dir / "temporal.db",
            search_attributes=SEARCH_ATTRIBUTES,
            virtual_time=options.virtual_time,
            ui_codec_endpoint=self.codec_url,
        )

    @property
    def base_url(self) -> str:
        """The address of the (first) API process."""
        return self.base_urls[0]

    @property
    def base_urls(self) -> list[str]:
        return [f"http://{LOOPBACK}:{port}" for port in self.api_ports]

    @property
    def worker_pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    @property
    def temporal_address(self) -> str:
        return self.temporal.address

    @property
    def ui_url(self) -> str | None:
        return self.temporal.ui_url

    @property
    def codec_url(self) -> str | None:
        """Where a browser signs in to read payloads in the Web UI."""
        return None if self.codec_port is None else f"http://{LOOPBACK}:{self.codec_port}"

    @property
    def database_url(self) -> str:
        return self.postgres.url(DATABASE)

    @property
    def issuer_key(self) -> dict[str, str]:
        """The private JWK that signs development tokens (see deploy.tokens)."""
        return self.keys.issuer_key

    def environment(self) -> dict[str, str]:
        """The KAP_ variables that every process of this system shares."""
        return {
            "KAP_ENVIRONMENT": "development",
            "KAP_WEBHOOK_LOOPBACK": "true",
            "KAP_BUILD": self.options.build,
            "KAP_VERSIONING": self.options.versioning,
            "KAP_DATABASE_URL": self.database_url,
            "KAP_TEMPORAL_ADDRESS": self.temporal_address,
            "KAP_PAYLOAD_KEYS": json.dumps({KEY_ID: self.keys.payload_key}),
            "KAP_PAYLOAD_KEY_ID": KEY_ID,
            "KAP_FIELD_KEYS": json.dumps({KEY_ID: self.keys.field_key}),
            "KAP_FIELD_KEY_ID": KEY_ID,
            "KAP_INDEX_KEY": self.keys.index_key,
            "KAP_SMTP_HOST": self.smtp.host,
            "KAP_SMTP_PORT": str(self.smtp.port),
            "KAP_SMTP_FROM": "clinic@example.org",
            **self.sms.environment(),
            "KAP_STAFF_PAGES": json.dumps({role: f"{role}@{DEMO_SITE}.example.org" for role in PAGED}),
            "KAP_API_HOST": LOOPBACK,
            "KAP_PUBLIC_URL": self.base_url,
            "KAP_ISSUER_KEY": self.keys.issuer_public_key,
            "KAP_ISSUER_URL": ISSUER_URL,
            "KAP_AUDIENCE": AUDIENCE,
        }

    def settings(self) -> Settings:
        """The same as settings of this process, for a client or a database connection of one's own."""
        from services.settings import Settings

        given = {name.removeprefix("KAP_").lower(): value for name, value in self.environment().items()}
        return Settings.model_validate(given)

    async def kill_worker(self, number: int = 0) -> None:
        """kill -9 of one worker process; start_worker brings it back."""
        await in_threads(self._workers[number].kill)

    async def start_worker(self, number: int = 0) -> None:
        """Start this worker process again and wait until it is healthy."""
        self._workers[number] = self._run_worker(number)
        self._note_children()
        await until_healthy(self._workers[number], self.worker_ports[number])

    async def restart_worker(self, number: int = 0) -> None:
        """Stop one worker process in good order, as a new release would, and start it again."""
        await in_threads(self._workers[number].stop)
        await self.start_worker(number)

    async def kill_temporal(self) -> None:
        """kill -9 of the Temporal server; start_temporal brings it back with all it knew."""
        await in_threads(self.temporal.kill)

    async def start_temporal(self) -> None:
        await in_threads(self.temporal.start)
        self._note_children()

    async def watch(self) -> None:
        """Return never; raise StartFailed with the end of its log when a process ends by itself."""
        while True:
            for child in self.children():
                child.fail_if_ended()
            await asyncio.sleep(WATCH_EVERY_S)

    async def _start_all(self) -> None:
        self._progress("starting PostgreSQL, Temporal and the mail sink")
        await in_threads(self.smtp.start, self.sms.start)
        await in_threads(self.postgres.start, self.temporal.start)
        self._note_children()
        self._progress("bringing the database to its newest schema")
        await in_threads(self._migrate)
        self.scraped.write(self.data_dir)
        self._progress("starting the workers and the API")
        self._workers = [self._run_worker(number) for number in range(len(self.worker_ports))]
        self._apis = [self._run_api(number) for number in range(len(self.api_ports))]
        ports = [*self.worker_ports, *self.api_ports]
        if self.codec_port is not None:
            self._codecs, ports = [self._run_codec()], [*ports, self.codec_port]
        self._note_children()
        pairs = zip([*self._workers, *self._apis, *self._codecs], ports, strict=True)
        await asyncio.gather(*(until_healthy(child, port) for child, port in pairs))
        await make_current(self.settings())
        self._progress("ready")

    async def _stop_all(self) -> None:
        """The doors first, then what they stand on."""
        await in_threads(*(child.stop for child in (*self._apis, *self._codecs, *self._workers)))
        if hasattr(self, "temporal"):
            await in_threads(self.temporal.stop, self.postgres.stop, self.smtp.stop, self.sms.stop)
            if not self._folder.is_kept:
                self.postgres.remove()
        self._folder.release()

    def _migrate(self) -> None:
        from services.database import migrate

        if not self.postgres.has_database(DATABASE):
            self.postgres.create_database(DATABASE)
        migrate(self.database_url)

    def _run_worker(self, number: int) -> Child:
        own = {"KAP_WORKER_HEALTH_PORT": str(self.worker_ports[number])}
        return self._run(f"worker-{number + 1}", "workers", own)

    def _run_api(self, number: int) -> Child:
        return self._run(f"api-{number + 1}", "api", {"KAP_API_PORT": str(self.api_ports[number])})

    def _run_codec(self) -> Child:
        own = {"KAP_CODEC_PORT": str(self.codec_port), "KAP_UI_ORIGIN": str(self.ui_url)}
        return self._run("codec", "api.codec", own)

    def _run(self, name: str, module: str, own: dict[str, str], *arguments: str) -> Child:
        # Nothing of our own KAP_ settings reaches them: they are told everything they need.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("KAP_")}
        return Child(
            name,
            [sys.executable, "-m", module, *arguments],
            self._log(name),
            environment=inherited | self._told(name) | own | {"PYTHONUNBUFFERED": "1"},
            folder=ROOT,
        )

    def _told(self, name: str) -> dict[str, str]:
        traces = {"KAP_OTLP_ENDPOINT": self.options.otlp_endpoint} if self.options.otlp_endpoint else {}
        return self.environment() | self.scraped.environment(name) | traces

    def children(self) -> list[Child]:
        engine = [child for child in (self.postgres.child, self.temporal.child) if child is not None]
        return [*engine, *self._workers, *self._apis, *self._codecs]

    def _note_children(self) -> None:
        self._folder.note_children(self.children())

    def _log(self, name: str) -> Path:
        return self.data_dir / "logs" / f"{name}.log"
