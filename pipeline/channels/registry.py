"""The sources this deployment knows: those that are shipped, and the user's own, which win over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pipeline.channels import mapping
from pipeline.channels.compiled import Source, compile_mapping
from pipeline.channels.errors import MappingError
from pipeline.channels.functions import Functions
from pipeline.channels.signatures import Verifier, split_secrets
from pipeline.settings import Settings

SUFFIX = ".toml"


def load_sources(functions: Functions, own: Path | None = None) -> dict[str, Source]:
    """Read and compile every mapping, by name. Raises MappingError for one that cannot be used."""
    folders: list[Traversable] = [files("pipeline.channels") / "sources"]
    if own is not None:
        if not own.is_dir():
            raise MappingError(f"TOUCHLINE_CHANNELS: {own} is no folder: put your mappings there, <source>{SUFFIX}")
        folders.append(own)
    found = {file.name.removesuffix(SUFFIX): file for folder in folders for file in _mappings(folder)}
    return {name: load_source(name, file, functions) for name, file in sorted(found.items())}


def load_source(name: str, file: Traversable, functions: Functions) -> Source:
    """Read and compile one file. Raises MappingError."""
    if not mapping.NAME.fullmatch(name):
        raise MappingError(f"{file}: name it like the source: small letters, digits and _, and {SUFFIX}")
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{file} cannot be read: {error}") from error
    return compile_mapping(name, mapping.read(text, str(file)), functions)


def _mappings(folder: Traversable) -> Iterator[Traversable]:
    return (file for file in folder.iterdir() if file.name.endswith(SUFFIX) and file.is_file())


def sources_of(settings: Settings) -> dict[str, Source]:
    """Return the sources as these settings have them."""
    return load_sources(functions_of(settings), settings.channels)


def functions_of(settings: Settings) -> Functions:
    """Return the functions of expressions, with the key and the region that these settings name."""
    return Functions(settings.identity_key, settings.phone_region or None)


def verifiers(sources: Mapping[str, Source], secrets: Mapping[str, str]) -> dict[str, Verifier]:
    """Return what checks each source that has a secret; the others are off.

    Raises MappingError for a secret of a source that does not exist, or that cannot be one of its scheme.
    """
    names = {*sources, *(f"{name}_verify" for name in sources)}
    if unknown := sorted(set(secrets) - names):
        raise MappingError(
            f"TOUCHLINE_WEBHOOK_SECRETS: no source is called {unknown[0]}: see `touchline channels list`"
        )
    found = {}
    for name, source in sources.items():
        given = split_secrets(secrets.get(name, ""))
        if not given or source.mapping.signature.scheme == "write_key":
            continue
        try:
            found[name] = Verifier(source.mapping.signature, given)
        except MappingError as error:
            raise MappingError(f"TOUCHLINE_WEBHOOK_SECRETS__{name.upper()}: {error}") from error
    return found
