"""Is the image good? Build it, start what production starts from it, walk a patient through, stop it. (`./dev image`)

Containers as `deploy/compose.yaml` makes them, on the network of this machine (Linux), with PostgreSQL and Temporal of
`./dev up`. Exit status: 0 all of it held, 1 something did not (it is named), 2 docker or podman is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

from clinical.people import Role
from clinical.protocol import Indication
from deploy.build import build_of
from deploy.child import Child, StartFailed
from deploy.containers import Engine, NoEngine, engine_here
from deploy.demo import PROTOCOL, SAMPLE, broken_rules, protocol_document, reachable
from deploy.demo_clinic import Clinic, Refused, tokens_of
from deploy.demo_story import Story
from deploy.image_system import ImageSystem
from deploy.local import ROOT, LocalOptions
from deploy.seed import register_site
from deploy.virtual_clock import VirtualClock
from deploy.waiting import in_threads
from services.fhir.bundle import read_referral
from services.process import end_process
from services.protocols import load_protocol
from services.temporal import connect

# Run inside of each container: who is it, and what could somebody do who got in?
PROBE = """
import errno, importlib.util, os, shutil
faults = []
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
if (os.getuid(), os.getgid()) != (10001, 10001): faults.append(f"runs as {os.getuid()}:{os.getgid()}")
if any(int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")): faults.append("has capabilities")
if status["NoNewPrivs"].strip() != "1": faults.append("may gain privileges")
if "python" in open("/proc/1/comm").read(): faults.append("has no init")
if shutil.which("pip") or importlib.util.find_spec("pip"): faults.append("has pip")
for folder in ("/", "/srv/kap", "/opt/kap", "/etc", "/run", "/var/tmp", "/usr/local"):
    try:
        open(f"{folder}/written", "w").close()
        faults.append(f"writes {folder}")
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES): raise
open("/tmp/written", "w").close()
for name in ("/srv/kap/api/app.py", os.__file__, importlib.util.find_spec("fastapi").origin):
    if not os.path.exists(importlib.util.cache_from_source(name)): faults.append(f"{name} is not compiled")
print("; ".join(faults))
"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./dev image",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="Everything else is handed to the build: --build-arg PYTHON=IMAGE, --secret id=pip,src=pip.conf, …",
    )
    parser.add_argument(
        "--with", dest="program", metavar="PROGRAM", help="docker or podman (the first there)"
    )
    parser.add_argument(
        "--image", metavar="NAME", help="only try this image, which was built from this commit"
    )
    given, build_options = parser.parse_known_args(arguments)
    try:
        engine = engine_here(given.program)
        build = build_of(ROOT)
        image = given.image or f"kap-engine:{build}"
        if given.image is None and (status := engine.build(ROOT, image, build, build_options)):
            return _say(f"the build ended with status {status}")
        faults = asyncio.run(tried(engine, image, build))
    except NoEngine as missing:
        print(f"image: {missing}", file=sys.stderr)
        return 2
    except (StartFailed, Refused, TimeoutError) as failed:
        return _say(str(failed) or "the engine did not answer in time")
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    for fault in faults:
        _say(fault)
    print(f"{image}: " + (f"{len(faults)} faults" if faults else "every check held"))
    return 1 if faults else 0


async def tried(engine: Engine, image: str, build: str) -> list[str]:
    """What does not hold; empty when all does. Raises StartFailed, Refused, TimeoutError."""
    revision = engine.inspect(image, '{{index .Config.Labels "org.opencontainers.image.revision"}}')
    if revision != build:
        return [f"{image} is of {revision}, this is {build}" if revision else f"there is no image {image}"]
    faults: list[str] = []
    options = LocalOptions(virtual_time=True, build=build)
    async with ImageSystem(engine, image, options, lambda step: print(f"- {step}", flush=True)) as system:
        containers = system.containers()
        for child, port in containers.items():
            faults += _looked_at(engine, system, child, port)
        faults += await _walked_through(system)
        for left_out in ("KAP_DATABASE_URL", "KAP_FIELD_KEYS"):
            faults += _without(system, left_out)
        faults += await _stopped(system, list(containers))
    return faults


def _looked_at(engine: Engine, system: ImageSystem, child: Child, port: int) -> list[str]:
    """Is it healthy in the words of the compose file, and closed?"""
    container = system.container_of(child)
    health = engine.inside(container, system.service_of(child).health_check(port))
    probe = engine.inside(container, ["python", "-c", PROBE])
    faults = [] if health.returncode == 0 else [f"its health check fails: {health.stderr.strip()}"]
    faults += [found for found in (probe.stdout.strip(), probe.stderr.strip()) if found]
    print(f"- {child.name}: " + ("healthy, closed" if not faults else "; ".join(faults)), flush=True)
    return [f"{child.name}: {fault}" for fault in faults]


async def _walked_through(system: ImageSystem) -> list[str]:
    """A patient from the referral to the closing summary, over HTTP, in virtual time."""
    tokens = tokens_of(system.issuer_key)
    for url in system.base_urls:
        each = Clinic(url, tokens)
        await each.get("/readyz")
        await each.close()
    protocol = load_protocol(PROTOCOL)
    record = read_referral(SAMPLE.read_bytes()).record
    clinic = Clinic(system.base_url, tokens)
    clock = VirtualClock(await connect(system.settings()))
    await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol_document(protocol))
    await register_site(clinic)
    story = Story(clinic, clock, protocol, Indication.DEPRESSION, record, lambda step: None)
    ended = await story.run(reachable(json.loads(SAMPLE.read_bytes())))
    await clinic.close()
    print(f"- a patient: {ended['stage']}, {ended['doses']} doses, {clinic.requests} requests", flush=True)
    broken = await broken_rules(system, story.journey_id, protocol)
    return broken if ended["stage"] == "finished" else [*broken, f"the course ended as {ended['stage']}"]


def _without(system: ImageSystem, variable: str) -> list[str]:
    """A process that lacks a setting has to end with status 2 and to name it."""
    variables = {key: value for key, value in system.environment().items() if key != variable}
    ended = system.once("api", variables)
    said = ended.stdout + ended.stderr
    print(f"- without {variable}: status {ended.returncode}", flush=True)
    if ended.returncode == 2 and variable in said:
        return []
    return [f"without {variable} the API ended with status {ended.returncode}: {said[-500:]}"]


async def _stopped(system: ImageSystem, children: list[Child]) -> list[str]:
    """Asked to stop all at once, does each end by itself, well and in time?"""
    began = time.monotonic()
    grace_s = {child: system.service_of(child).grace_s for child in children}
    await in_threads(*(lambda child=child: child.stop(grace_s[child]) for child in children))
    faults = [f"{child.name} ended with status {child.status}" for child in children if child.status != 0]
    print(f"- stopped in {time.monotonic() - began:.1f} s", flush=True)
    return faults


def _say(fault: str) -> int:
    print(f"image: {fault}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
