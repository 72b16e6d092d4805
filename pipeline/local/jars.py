"""Fetches Apache Kafka's jars by their Maven coordinates, once per user and version.

`kafka-pom.xml` says what is wanted, for `mvn`; `kafka-jars.json` lists every jar that comes of it, with its
SHA-256, so that what is run is what was tested, and so that the wheel jgo can fetch them where there is no
Maven. (jgo 3.2 is not asked to resolve: it picks an older kafka-clients than Kafka's own.)
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import platformdirs

from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.local.child import run

KAFKA_VERSION = "4.3.0"
POM = Path(__file__).with_name("kafka-pom.xml")
LIST = Path(__file__).with_name("kafka-jars.json")
FETCH_SECONDS = 600.0


def jar_folder() -> Path:
    """Return the folder in the user's cache for Kafka's jars; it is complete whenever it exists."""
    return Path(platformdirs.user_cache_dir("touchline")) / f"kafka-{KAFKA_VERSION}"


async def kafka_jars() -> Path:
    """Return the folder of Kafka's jars, fetching them the first time.

    The folder appears complete and verified, or not at all; of several processes one fetches while the others
    wait. Raises ConfigurationError when neither Maven nor jgo is there, UnavailableError when they fail.
    """
    target = jar_folder()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    async with _locked(target.with_name(f"{target.name}.lock")):
        if not target.is_dir():
            await _fill(target)
    return target


async def _fill(target: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix=f"{target.name}-part-", dir=target.parent))
    try:
        jars = work / "jars"
        jars.mkdir()
        await _fetch(work, jars)
        _verify(jars)
        jars.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


async def _fetch(work: Path, jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        await asyncio.to_thread(_fetch_with_jgo, work / "repository", jars)
        return
    log = work.parent / "maven.log"
    log.unlink(missing_ok=True)
    shutil.copy(POM, work / "pom.xml")
    command = [maven, "-q", "-B", "-f", str(work / "pom.xml"), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
    await run("fetching Kafka's jars with mvn", command, log, FETCH_SECONDS)


def _fetch_with_jgo(repository: Path, jars: Path) -> None:
    """Download each listed jar, whatever jgo would make of their own dependencies."""
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - optional
    except ImportError as error:
        raise ConfigurationError(
            "neither `mvn` nor the wheel jgo is there to fetch Kafka: install one of them"
        ) from error
    context = MavenContext(repo_cache=repository, resolver=PythonResolver())
    for coordinates in wanted():
        group, artifact, version = coordinates.split(":")
        try:
            found = context.project(group, artifact).at_version(version).artifact().resolve()
        except Exception as error:
            raise UnavailableError(f"{coordinates} could not be fetched ({error}); try again") from error
        shutil.copy(found, jars / f"{artifact}-{version}.jar")


def wanted() -> Mapping[str, str]:
    """Return the SHA-256 of every jar by its coordinates, `group:artifact:version`."""
    listed: dict[str, str] = json.loads(LIST.read_text())
    return listed


def _verify(jars: Path) -> None:
    """Raise UnavailableError unless exactly the listed jars are there, byte by byte."""
    expected = {"{1}-{2}.jar".format(*name.split(":")): digest for name, digest in wanted().items()}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.iterdir()}
    wrong = sorted(name for name, _ in expected.items() ^ found.items())
    if wrong:
        raise UnavailableError(f"Kafka's jars came out wrong ({wrong[0]}); check the Maven settings, try again")


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Hold an exclusive lock on a file, waiting for it without blocking the loop."""
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.1)
        yield
