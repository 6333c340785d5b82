"""Every error that the core raises on purpose.

    FlawdeskError
    ├── Refused                 the input broke a rule; names the field and the rule
    │   ├── InvalidReport       a report that the intake does not accept
    │   ├── InvalidPolicy       a policy file or table that is not complete or not monotone
    │   ├── IllegalTransition   the state machine has no such step from here
    │   ├── Conflict            somebody else changed the thing first
    │   ├── NotAllowed          the actor's roles do not include this command
    │   ├── NotFound            no such report, cluster, dataset or policy version
    │   └── GateClosed          embargo, TLP or consent forbids this share
    ├── StoreError              the store cannot be opened or its records disagree
    │   ├── StoreBusy           another process holds the store
    │   └── ChainBroken         the audit chain or its anchor does not verify
    └── ModelError              the embedding model is missing, changed or unusable

Entry points map `Refused` to exit status 1 or a 4xx answer and show `StoreError` and
`ModelError` as faults of the installation. Anything else is a bug.
"""

from __future__ import annotations


class FlawdeskError(Exception):
    """Base of every error raised on purpose."""


class Refused(FlawdeskError):
    """An input that breaks a rule.

    `field` is the dotted path of the offending field ("turns[2].content") or the name of the
    thing that was asked for; `rule` says in one sentence what holds instead.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class InvalidReport(Refused):
    """A report that the intake does not accept."""


class InvalidPolicy(Refused):
    """A policy file or table that is not complete, not total or not monotone."""


class IllegalTransition(Refused):
    """The state machine has no such step from the present state."""


class Conflict(Refused):
    """Somebody else changed the thing first, or the same key came with another content."""


class NotAllowed(Refused):
    """The actor's roles do not include this command."""


class NotFound(Refused):
    """No such report, cluster, dataset or policy version."""


class GateClosed(Refused):
    """Embargo, TLP or consent forbids this share."""


class StoreError(FlawdeskError):
    """The store cannot be opened, or its records disagree."""


class StoreBusy(StoreError):
    """Another process holds the store."""


class ChainBroken(StoreError):
    """The audit chain or its anchor does not verify."""


class ModelError(FlawdeskError):
    """The embedding model is missing, changed or unusable; the message says what to do."""
