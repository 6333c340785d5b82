"""Start the server: dashboard, public form and API in one process."""

from __future__ import annotations

import os
import sys

from triage_core.guidance import policies
from triage_core.middleware import require_loopback
from triage_core.runtime import SYSTEM
from triage_core.settings import ROOT, Settings
from triage_core.store import STORE_FILE, Store


def serve(settings: Settings, host: str, port: int) -> None:
    """Become the Streamlit server of app.py; does not return.

    Raises Refused for a host beyond this machine, InvalidPolicy for a policy that is not complete,
    and StoreError for a store that is held or damaged: here they are one line, in the server a fault.
    """
    require_loopback(host)
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
