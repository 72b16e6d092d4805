"""The settings: environment variables `TOUCHLINE_*`, read once at a root and passed down as one object."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import ConfigurationError
from pipeline.privacy_rules import known_actions, known_region


class Settings(BaseSettings):
    """All settings with their defaults; `touchline config` prints them with these descriptions."""

    model_config = SettingsConfigDict(env_prefix="TOUCHLINE_", env_nested_delimiter="__", frozen=True, extra="ignore")

    kafka_url: str | None = Field(
        None, description="Kafka bootstrap servers, host:port[,host:port]; unset: the local stack"
    )
    clickhouse_url: str | None = Field(
        None, description="ClickHouse HTTP interface, http(s)://host:port; unset: the local stack"
    )
    clickhouse_user: str = Field("default", description="ClickHouse user")
    clickhouse_password: str = Field("", description="ClickHouse password", repr=False)
    clickhouse_cluster: str | None = Field(
        None, description="ClickHouse cluster: migrations then make replicated tables"
    )
    schema_registry_url: str | None = Field(
        None,
        description="Confluent-compatible registry, http(s)://[user:password@]host:port; unset: the ids in schemas/",
        repr=False,
    )
    schema_registry_user: str = Field("", description="user of the schema registry, unless its URL names one")
    schema_registry_password: str = Field("", description="password of the schema registry", repr=False)
    schema_registry_ca: Path | None = Field(
        None, description="certificates (PEM) to trust when the schema registry shows its own"
    )
    schemas: Path | None = Field(
        None,
        description="without a registry: folder of newer schemas, <topic>/v<version>.avsc, that workers look into "
        "when they meet a version they lack; unset: the one they were installed with",
    )
    data: Path = Field(Path("touchline-data"), description="folder of the local stack")
    local_broker: Literal["auto", "kafka", "noida"] = Field("auto", description="broker of the local stack")

    collector_host: str = Field("127.0.0.1", description="address the collector listens on")
    collector_port: int = Field(8480, ge=0, le=65535, description="the collector's public port; 0: any free one")
    collector_private_host: str = Field(
        "127.0.0.1", description="address of the collector's private listener; never one that the internet reaches"
    )
    collector_private_port: int = Field(
        8481, ge=0, le=65535, description="port of the private listener, of /metrics and more; 0: any free one"
    )
    write_keys: str = Field("", description="write keys the collector accepts, comma-separated", repr=False)
    keys_file: Path | None = Field(
        None, description="file of the keys that `touchline keys` makes; unset: the local stack's, in its folder"
    )
    key_rate: float | None = Field(
        None, gt=0, description="events a second of a key of the file that names no rate of its own; unset: no limit"
    )
    key_burst: int | None = Field(
        None, ge=1, description="events at once of a key that names no burst of its own; unset: what 2 seconds bring"
    )
    webhook_secrets: dict[str, str] = Field(
        default_factory=dict,
        description="secrets of webhook sources, one variable each: TOUCHLINE_WEBHOOK_SECRETS__SHOPIFY; several, "
        "comma-separated, while one is being changed; a source without any is off",
        repr=False,
    )
    channels: Path | None = Field(None, description="folder of your own channel mappings, <source>.toml")
    public_url: str | None = Field(
        None, description="URL that vendors know the collector by, if a proxy stands before it; some sign it"
    )
    read_key: str = Field("", description="key of the private listener", repr=False)
    ack_timeout_seconds: float = Field(
        10.0, gt=0, description="how long the collector waits for Kafka before it answers 503"
    )

    links: Path | None = Field(None, description="TOML file of the short links that /l/CODE follows; unset: none")
    link_url: str | None = Field(
        None, description="public address of the short links, https://go.shop.example; unset: the collector's own"
    )
    link_key: str = Field(
        "", description="secrets that sign links to customers, comma-separated: the first signs, all count", repr=False
    )
    link_cookie: str = Field("tl_id", description="cookie whose value is a browser's anonymous_id")
    link_cookie_domain: str | None = Field(
        None, description="domain that shares this cookie, shop.example; unset: the short links' host alone"
    )
    link_cookie_readable: bool = Field(
        False, description="let scripts of your pages read the cookie, to send its value as anonymous_id"
    )
    link_wait_ms: int = Field(
        500, ge=0, description="how long a click waits for Kafka's acknowledgement before it is redirected all the same"
    )
    link_keep_seconds: float = Field(
        300.0, gt=0, description="how long a click that Kafka does not acknowledge is kept in memory and tried again"
    )

    alerts: Path | None = Field(
        None, description="TOML file of when alerts are raised and who is told; unset: the defaults, and nobody"
    )

    visit_gap_minutes: int = Field(30, gt=0, description="silence that ends a visit")
    journey_gap_days: int = Field(14, gt=0, description="silence that ends a journey")
    risk_model: Path | None = Field(
        None,
        description="file of the risk model (see `touchline risk fit`); a changed one counts at once; unset: shipped",
    )
    quiet_seconds: float = Field(
        300.0,
        ge=0,
        description="how long after a customer's last touchpoint it is worked out when silence changes their risk",
    )
    history_days: int = Field(90, gt=0, description="how late a touchpoint may come and still change its journey")

    personal_data: Annotated[str, AfterValidator(known_actions)] = Field(
        "mask",
        description="what is done about personal data in attributes: mask, hash or keep; per kind: mask,email=hash "
        "(email, phone, iban, personal); card numbers and passwords are masked whatever it says",
    )
    forget_key: str = Field(
        "",
        description="secret of the hashes under which forgotten customers are kept, the same for the collector, the "
        "workers and the commands; unset: the local stack's own, in its folder",
        repr=False,
    )
    identity_key: str = Field(
        "",
        description="key of the hashes of e-mail addresses and phone numbers; without one they can be guessed, "
        "with another one nothing joins any more",
        repr=False,
    )
    phone_region: Annotated[str, AfterValidator(known_region)] = Field(
        "", description="country (ISO 3166, like DE) of phone numbers without a country code; unset: only +... is one"
    )
    derive_sentiment: bool = Field(
        False,
        description="whether webhooks that bring a text and no sentiment get one derived from it, English only and "
        "roughly; needs touchline[sentiment]",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("WARNING", description="how much is logged")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="json: one object a line; auto: roles write text on a terminal and json elsewhere"
    )

    partitions: int = Field(12, ge=1, le=1024, description="partitions of a topic when it is made; fixed for life")
    replication_factor: int = Field(1, ge=1, description="copies of a topic when it is made")
    retention_hours: int = Field(168, ge=1, description="how long the deleting topics keep records")
    compression: Literal["none", "gzip", "lz4", "zstd"] = Field(
        "none", description="codec of what the agents write to Kafka; lz4 costs them 8 % more CPU, and less network"
    )
    chunk_records: int = Field(10_000, ge=1, description="most records one chunk of a partition may hold")
    session_timeout_seconds: float = Field(
        10.0, gt=0, description="silence after which Kafka gives a worker's partitions away"
    )
    landing_linger_ms: int = Field(250, ge=0, description="how long landing gathers rows before it inserts")
    landing_rows: int = Field(50_000, ge=1, description="most rows of one insert")
    buffer_megabytes: int = Field(
        64, ge=8, description="about how much of a topic a worker holds in memory at the most, in MiB"
    )
    ready_after_seconds: float = Field(
        10.0, gt=0, description="how long work may wait before /readyz of its role says 503, and why"
    )
    worker_host: str = Field("127.0.0.1", description="address of a worker's /healthz, /readyz and /metrics")
    worker_port: int = Field(
        0, ge=0, le=65535, description="port of a worker's /healthz, /readyz and /metrics; 0: any free one"
    )


@cache
def load() -> Settings:
    """Read the environment once. Raises ConfigurationError that names the variable and what it should be."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "TOUCHLINE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(
            f"{name}: {first['msg'].removeprefix('Value error, ')}; see `touchline config`"
        ) from error
