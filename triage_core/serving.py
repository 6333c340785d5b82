"""Start the server: dashboard, public form and API in one process."""

from __future__ import annotations

import errno
import os
import socket
import sys

from triage_core.errors import Refused
from triage_core.guidance import policies
from triage_core.middleware import require_loopback
from triage_core.runtime import SYSTEM
from triage_core.settings import ROOT, Settings
from triage_core.store import STORE_FILE, Store


def serve(settings: Settings, host: str, port: int) -> None:
    """Become the Streamlit server of app.py; does not return.

    Raises Refused for a host beyond this machine or a port that is taken, InvalidPolicy for a policy that is not
    complete, and StoreError for a store that is held or damaged: here they are one line, in the server a fault.
    """
    require_loopback(host)
    _require_free(host, port)
    if not (settings.store / STORE_FILE).exists():
        # So that a first start which cannot work leaves no store behind.
        policies.of_installation(settings.policy)
    store = Store(settings.store, memory_mib=settings.database_mib)
    try:
        policies.seed(store, SYSTEM, settings.policy)
    finally:
        store.close()
    environment = {
        **os.environ,
        "FLAWDESK_STORE": str(settings.store.resolve()),
        "FLAWDESK_POLICY": str(settings.policy.resolve()),
        "FLAWDESK_MODEL": settings.model,
        "FLAWDESK_RUNTIME": settings.runtime,
        "FLAWDESK_DEVICE": settings.device,
        "FLAWDESK_DEMO": "1" if settings.demo else "0",
        "FLAWDESK_PUBLIC_URL": settings.front.address,
    }
    print(f"Flawdesk at http://{'localhost' if host == '127.0.0.1' else host}:{port}", flush=True)
    if settings.front.address:
        print(f"Reporters reach it at {settings.front.address}/report", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.address", host, "--server.port", str(port)]
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)


def _require_free(host: str, port: int) -> None:
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind, protocol) as probe:
            # As the server does: one that has just ended is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise Refused("port", f"{port} is taken: choose another with --port") from error
