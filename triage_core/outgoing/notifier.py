"""The notifier: one round looks for news and sends what is due; a thread of its own makes a round a minute.

It is off until the operator names a mail server or a webhook. A slow mail server holds up nothing but
the other messages.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from triage_core.errors import Refused
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.outgoing import outbox
from triage_core.outgoing.notices import Message
from triage_core.outgoing.outbox import EMAIL, WEBHOOK, Sent
from triage_core.settings import Settings
from triage_core.store import Store

log = logging.getLogger(__name__)

ROUND_SECONDS = 60.0


class Notifier:
    """Sends for one open store; `start` makes the rounds by themselves."""

    def __init__(self, store: Store, settings: Settings, policy: Callable[[], Policy]) -> None:
        self._store, self._settings, self._policy = store, settings, policy
        self._one_round = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that the operator has set."""
        set_up = {EMAIL: self._settings.smtp, WEBHOOK: self._settings.webhook}
        return tuple(name for name, target in set_up.items() if target is not None)

    @property
    def is_running(self) -> bool:
        """Whether rounds are made by themselves."""
        return self._thread is not None and self._thread.is_alive()

    def round(self, actor: Actor, now: datetime | None = None) -> Sent:
        """One round. Rounds never run side by side, so that nothing is sent twice without need.

        Raises Refused where no channel is set.
        """
        if not self.channels:
            raise Refused("notify", "is off: set FLAWDESK_SMTP_HOST or FLAWDESK_WEBHOOK_URL")
        with self._one_round:
            hour = self._settings.digest_hour
            outbox.collect(self._store, actor, self._policy().clocks, self.channels, hour, now)
            return outbox.send_due(self._store, actor, self._deliver, self.channels, now)

    def start(self, actor: Actor) -> None:
        """Make rounds until `stop`; nothing where no channel is set."""
        if self._thread is None and self.channels:
            self._thread = threading.Thread(target=self._run, args=(actor,), name="notifier", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the message that is being sent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, actor: Actor) -> None:
        while not self._stop.is_set():
            try:
                self.round(actor)
            except outbox.Stopped:
                return
            except Exception:  # the notifier outlives any one failure; what was not sent waits in the outbox
                log.exception("notifier")
            self._stop.wait(ROUND_SECONDS)

    def _deliver(self, channel: str, message: Message, to: str | None) -> None:
        if self._stop.is_set():
            raise outbox.Stopped
        smtp, webhook = self._settings.smtp, self._settings.webhook
        if channel == EMAIL and smtp is not None:
            smtp.send(message, (to,) if to else smtp.to)
        elif channel == WEBHOOK and webhook is not None:
            webhook.send(message)
