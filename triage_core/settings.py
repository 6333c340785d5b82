"""What an operator can set, from environment variables that start with FLAWDESK_."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from triage_core.channel.puzzle import MOST_BITS
from triage_core.errors import Refused
from triage_core.front import Front, Network
from triage_core.outgoing.delivery import Smtp, Webhook

ROOT = Path(__file__).resolve().parent.parent
# Time and memory grow with the square.
CLOSE_READING, MOST_READ_CLOSELY = 4_000, 20_000
LEAST_DATABASE_MIB = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """store: folder of the store. policy: folder of policy.toml and its two tables. model: name or
    folder of the embedding model. runtime: auto, reference or openvino. device: cpu or cuda.
    demo: load the demo reports into an empty store at start. audit_hour: when the clusters are audited, an
    hour of the day (UTC, 0 to 23); None: never by itself. intake_per_second: reports a second that
    the public doors take from everybody together (0: no limit). puzzle_bits: proof of work that an
    anonymous post to the API brings (0: none). smtp, webhook: where messages go (None: nowhere).
    digest_hour: when the desk's digest is written, an hour of the policy's zone; None: never.
    database_mib: what the database may hold in memory; 0: a tenth of the machine's.
    close_reading: up to so many reports likeness compares every pair.
    front: how the server is reached from elsewhere."""

    store: Path = ROOT / "data" / "run"
    policy: Path = ROOT / "data"
    model: str = "all-MiniLM-L6-v2"
    runtime: str = "auto"
    device: str = "cpu"
    demo: bool = False
    audit_hour: int | None = 2
    intake_per_second: int = 200
    puzzle_bits: int = 0
    smtp: Smtp | None = None
    webhook: Webhook | None = None
    digest_hour: int | None = 8
    database_mib: int = 0
    close_reading: int = CLOSE_READING
    front: Front = field(default_factory=Front)


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises Refused naming the variable and the values it takes."""
    default = Settings()
    runtime = _one_of(environment, "FLAWDESK_RUNTIME", default.runtime, ("auto", "reference", "openvino"))
    device = _one_of(environment, "FLAWDESK_DEVICE", default.device, ("cpu", "cuda"))
    demo = _one_of(environment, "FLAWDESK_DEMO", "0", ("0", "1"))
    hours = ("off", *map(str, range(24)))
    hour = _one_of(environment, "FLAWDESK_AUDIT_HOUR", str(default.audit_hour), hours)
    digest = _one_of(environment, "FLAWDESK_DIGEST_HOUR", str(default.digest_hour), hours)
    return Settings(
        store=Path(environment.get("FLAWDESK_STORE") or default.store),
        policy=Path(environment.get("FLAWDESK_POLICY") or default.policy),
        model=environment.get("FLAWDESK_MODEL") or default.model,
        runtime=runtime,
        device=device,
        demo=demo == "1",
        audit_hour=None if hour == "off" else int(hour),
        intake_per_second=_whole(
            environment, "FLAWDESK_INTAKE_PER_SECOND", default.intake_per_second, 1_000_000
        ),
        puzzle_bits=_whole(environment, "FLAWDESK_PUZZLE_BITS", default.puzzle_bits, MOST_BITS),
        smtp=_smtp(environment),
        webhook=_webhook(environment),
        digest_hour=None if digest == "off" else int(digest),
        database_mib=_memory(environment, "FLAWDESK_DATABASE_MIB", default.database_mib),
        close_reading=_whole(environment, "FLAWDESK_CLOSE_READING", default.close_reading, MOST_READ_CLOSELY),
        front=Front(
            environment.get("FLAWDESK_PUBLIC_URL", "").rstrip("/"),
            _networks(environment, "FLAWDESK_TRUSTED_PROXIES"),
        ),
    )


def _smtp(environment: Mapping[str, str]) -> Smtp | None:
    host = environment.get("FLAWDESK_SMTP_HOST")
    if not host:
        return None
    return Smtp(
        host=host,
        port=_whole(environment, "FLAWDESK_SMTP_PORT", 587, 65_535),
        tls=_one_of(environment, "FLAWDESK_SMTP_TLS", "starttls", ("starttls", "tls", "none")),
        sender=environment.get("FLAWDESK_SMTP_FROM", ""),
        to=tuple(part.strip() for part in environment.get("FLAWDESK_SMTP_TO", "").split(",") if part.strip()),
        user=environment.get("FLAWDESK_SMTP_USER", ""),
        password=environment.get("FLAWDESK_SMTP_PASSWORD", ""),
    )


def _webhook(environment: Mapping[str, str]) -> Webhook | None:
    url = environment.get("FLAWDESK_WEBHOOK_URL")
    if not url:
        return None
    allow = _networks(environment, "FLAWDESK_WEBHOOK_ALLOW")
    return Webhook(url, environment.get("FLAWDESK_WEBHOOK_SECRET", ""), allow)


def _networks(environment: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        listed = environment.get(name, "").split(",")
        return tuple(ipaddress.ip_network(part.strip()) for part in listed if part.strip())
    except ValueError:
        raise Refused(name, "takes networks, as in 10.1.0.0/16, with commas between") from None


def _one_of(environment: Mapping[str, str], name: str, default: str, values: tuple[str, ...]) -> str:
    found = environment.get(name) or default
    if found not in values:
        raise Refused(name, f"one of {', '.join(values)}, not {found!r}")
    return found


def _memory(environment: Mapping[str, str], name: str, default: int) -> int:
    found = _whole(environment, name, default, 100_000_000)
    if 0 < found < LEAST_DATABASE_MIB:  # as of somebody who means gigabytes
        raise Refused(name, f"0, or at least {LEAST_DATABASE_MIB} (MiB), not {found}")
    return found


def _whole(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    found = environment.get(name) or str(default)
    if not (found.isascii() and found.isdigit() and len(found) < 10 and int(found) <= most):
        raise Refused(name, f"a whole number from 0 to {most:,}, not {found!r}")
    return int(found)
