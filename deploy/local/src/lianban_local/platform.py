"""The whole platform on one machine: started in order, kept running, stopped without a trace."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lianban_local import (
    client_keys,
    databases,
    environment,
    errand,
    leftovers,
    logs,
    migrating,
    runfile,
    scopes,
    seeding,
)
from lianban_local.deployables import AUTHORITY, DEPLOYABLES, Deployable
from lianban_local.edge import EdgeRenderer, by_gateway
from lianban_local.environment import (
    CONNECTIONS_FOR_PEOPLE,
    CONNECTIONS_PER_SERVICE,
    EDGE,
    EDGE_ADMIN,
    SEED_CLIENT,
    Addresses,
)
from lianban_local.narration import Narrator
from lianban_local.process import Process, ProcessFailed
from lianban_local.runfile import RunFile
from lianban_local.servers.envoy import EnvoyServer
from lianban_local.servers.nats import NatsServer
from lianban_local.servers.postgres import PostgresServer
from lianban_local.services import ServiceProcess
from lianban_local.state import StateFolder
from lianban_local.supervisor import Supervisor

_ERRANDS_AT_ONCE = 2
_LEFTOVER_SECONDS = 3.0
_THREADS = 32
"""More than there are processes: each may be awaited in a thread while another thread must stop it."""

RenderEdge = Callable[[Addresses, Sequence[Deployable], Path], EdgeRenderer]
SeedCommand = Callable[[StateFolder], list[str]]


@dataclass(frozen=True)
class Plan:
    """What to run. The defaults are the platform; a test names less, and a server of one's own replaces an embedded one."""

    deployables: Sequence[Deployable] = DEPLOYABLES
    render_edge: RenderEdge | None = by_gateway
    seed_command: SeedCommand | None = seeding.command
    authority: bool = True
    admin_url: str | None = field(default_factory=lambda: os.environ.get("LIANBAN_POSTGRES_ADMIN_URL"))
    nats_url: str | None = field(default_factory=lambda: os.environ.get("NATS_URL"))


class Platform:
    """One life of the platform, from the first server to the last exit."""

    def __init__(self, plan: Plan, state: StateFolder, narrator: Narrator) -> None:
        self._plan = plan
        self._state = state
        self._narrator = narrator
        self._supervisor = Supervisor(narrator, state.processes_file)
        self._new_database = False

    async def run(self, on_healthy: Callable[[RunFile], None]) -> int:
        """Stay until a signal asks to stop; returns the exit code.

        Raises: AlreadyRunning.
        """
        with self._state.held():
            self._state.pid_file.write_text(str(os.getpid()))
            self._state.healthy_file.unlink(missing_ok=True)
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
            stop = self._listen_for_signals()
            life = asyncio.create_task(self._live(on_healthy))
            asked = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({life, asked}, return_when=asyncio.FIRST_COMPLETED)
                return 1 if self._failed(life) else 0
            finally:
                life.cancel()
                asked.cancel()
                await asyncio.gather(life, asked, return_exceptions=True)
                await self._stop()

    def _listen_for_signals(self) -> asyncio.Event:
        """The first asks to stop, the second does not wait any longer."""
        stop = asyncio.Event()

        def on_signal() -> None:
            if stop.is_set():
                self._supervisor.kill()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, on_signal)
        return stop

    def _failed(self, life: asyncio.Task[None]) -> bool:
        """A failure that has a name is told; any other climbs."""
        if not life.done():
            return False
        try:
            life.result()
        except* ProcessFailed as failures:
            for failure in failures.exceptions:
                self._narrator.bad(str(failure))
        return True

    async def _live(self, on_healthy: Callable[[RunFile], None]) -> None:
        await asyncio.to_thread(self._end_leftovers)
        addresses = environment.choose_addresses(self._state, self._plan.deployables)
        admin_url, nats_url = await self._start_servers()
        environments = await self._prepare_services(addresses, admin_url, nats_url)
        await self._run_errands(environments)
        await self._start_services(addresses, environments)
        result = await self._seed(addresses, environments)
        ready = runfile.write_run_json(
            self._state.run_file,
            base_url=addresses.origin,
            issuer=addresses.issuer,
            accounts=result.accounts,
            clients=result.clients,
        )
        self._state.healthy_file.write_text(str(os.getpid()))
        on_healthy(ready)
        await self._supervisor.watch()

    def _end_leftovers(self) -> None:
        """Of a supervisor that was killed. They are ending by themselves; wait a little, then insist."""
        left = leftovers.find(self._state.path)
        try:
            leftovers.wait_gone(left, _LEFTOVER_SECONDS)
        except TimeoutError:
            self._narrator.warn(f"ending {len(left)} processes of an earlier run")
            leftovers.kill(left)

    async def _start_servers(self) -> tuple[str, str]:
        """Those that no URL replaces. Returns the URLs of both, embedded or not."""
        admin_url, nats_url = self._plan.admin_url, self._plan.nats_url
        servers: list[Process] = []
        if admin_url is None:
            postgres = PostgresServer(
                self._state.path,
                port=self._state.port("postgres"),
                password=self._state.password("postgres"),
                max_connections=CONNECTIONS_PER_SERVICE * len(self._plan.deployables)
                + CONNECTIONS_FOR_PEOPLE,
            )
            admin_url = postgres.admin_url
            servers.append(postgres)
        if nats_url is None:
            nats = NatsServer(
                self._state.path, port=self._state.port("nats"), password=self._state.password("nats")
            )
            nats_url = nats.url
            servers.append(nats)
        await _all(self._supervisor.start(server) for server in servers)
        return admin_url, nats_url

    async def _prepare_services(
        self, addresses: Addresses, admin_url: str, nats_url: str
    ) -> dict[str, dict[str, str]]:
        """Databases, roles, keys; returns each service's environment."""
        for traces in self._state.folder("traces").glob("*.jsonl"):
            logs.rotate(traces)
        names = [deployable.name for deployable in self._plan.deployables]
        clients_file = client_keys.write_clients(self._state, [*names, SEED_CLIENT])
        environments = {}
        for deployable in self._plan.deployables:
            database_url, is_new = await asyncio.to_thread(
                databases.ensure_service, admin_url, deployable.name, self._state.password(deployable.name)
            )
            self._new_database |= is_new
            environments[deployable.name] = environment.of_service(
                deployable,
                state=self._state,
                addresses=addresses,
                database_url=database_url,
                nats_url=nats_url,
                clients_file=clients_file,
                scopes_file=scopes.file_of(self._state),
            )
        return environments

    async def _run_errands(self, environments: Mapping[str, Mapping[str, str]]) -> None:
        """Migrations and descriptions, where code or database are newer than at the last start."""
        slots = asyncio.Semaphore(_ERRANDS_AT_ONCE)

        async def bring_up_to_date(deployable: Deployable) -> None:
            own = environments[deployable.name]
            url = own[f"{deployable.prefix}DATABASE_URL"]
            if not await asyncio.to_thread(migrating.is_current, deployable, url):
                async with slots:
                    await migrating.migrate(deployable, own, self._state)

        async def describe(deployable: Deployable) -> None:
            async with slots:
                await scopes.describe(deployable, environments[deployable.name], self._state)

        with self._narrator.step("databases at their newest revision, scopes collected"):
            tasks = (task(one) for task in (bring_up_to_date, describe) for one in self._plan.deployables)
            await _all(tasks)
            scopes.collect(self._plan.deployables, self._state)

    async def _start_services(
        self, addresses: Addresses, environments: Mapping[str, Mapping[str, str]]
    ) -> None:
        """All at once: each waits patiently for the others it calls, and is ready without them."""
        processes: list[Process] = [
            ServiceProcess(
                deployable.name,
                self._state.path,
                module=deployable.module,
                arguments=("all",),
                environment=environments[deployable.name],
                port=addresses.ports[deployable.name],
            )
            for deployable in self._plan.deployables
        ]
        if self._plan.authority:
            processes.append(self._authority(addresses))
        if self._plan.render_edge is not None:
            processes.append(self._edge(addresses, self._plan.render_edge))
        await _all(self._supervisor.start(process) for process in processes)

    def _authority(self, addresses: Addresses) -> Process:
        port = addresses.ports[AUTHORITY]
        return ServiceProcess(
            AUTHORITY,
            self._state.path,
            module="lianban_local.authority",
            arguments=("--port", str(port)),
            environment=dict(os.environ),
            port=port,
            health_path="/health/live",
        )

    def _edge(self, addresses: Addresses, render_edge: RenderEdge) -> Process:
        return EnvoyServer(
            self._state.path,
            port=addresses.ports[EDGE],
            admin_port=addresses.ports[EDGE_ADMIN],
            render=render_edge(addresses, self._plan.deployables, self._state.log(EDGE)),
        )

    async def _seed(
        self, addresses: Addresses, environments: Mapping[str, Mapping[str, str]]
    ) -> seeding.SeedResult:
        """Only when a database is new or the data has changed: a second start is quick."""
        if self._plan.seed_command is None:
            return seeding.SeedResult()
        if self._new_database:
            seeding.forget(self._state)
        if (known := seeding.remembered(self._state)) is not None:
            return known
        # The seed reads run.json to find the platform, which has no accounts yet.
        runfile.write_run_json(
            self._state.run_file, base_url=addresses.origin, issuer=addresses.issuer, accounts=[], clients=[]
        )
        with self._narrator.step("catalogue and demo people"):
            if "identity" in environments:
                command, secrets = seeding.first_operator(self._state)
                own = {**environments["identity"], **secrets}
                await errand.run("first-operator", command, own, self._state)
            await errand.run("seed", self._plan.seed_command(self._state), os.environ, self._state)
        result = seeding.remembered(self._state)
        if result is None:
            raise ProcessFailed("seed", "changed its own sources while it ran", self._state.log("seed"))
        return result

    async def _stop(self) -> None:
        """The edge first, so that nobody new comes in; the servers last, for the services still write."""
        self._state.healthy_file.unlink(missing_ok=True)
        with self._narrator.step("stopped"):
            services = [deployable.name for deployable in self._plan.deployables]
            await self._supervisor.stop([["envoy"], services, [AUTHORITY], ["nats", "postgres"]])
            self._state.pid_file.unlink(missing_ok=True)


async def _all(tasks: Iterable[Coroutine[Any, Any, None]]) -> None:
    """At once; the first failure cancels the others and climbs."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(task)
