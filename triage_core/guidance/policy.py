"""The published policy of one version: guidance, tables, clocks, waiting periods and rewards.

A policy is three texts: policy.toml, severity.csv and priority.csv. `parse` takes the texts, so
that every version can be kept in the store as it was; `load` reads them from a folder.
docs/policy-file.md is the reference for the person who edits them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from triage_core.errors import InvalidPolicy, NotFound
from triage_core.guidance.clocks import Clocks
from triage_core.guidance.sections import Section, one_of
from triage_core.guidance.tables import PRIORITY_CSV, SEVERITY_CSV, Key, priority_table, severity_table
from triage_core.model import Exploitation, Priority, Severity, SeverityInputs

POLICY_TOML = "policy.toml"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GRADED = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
LONGEST_DAYS = 365  # no clock and no embargo of a policy may run longer than a year
LARGEST_REWARD = 10_000_000
LARGEST_BUDGET = 1_000_000_000

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}")
_CONTACT = re.compile(r"(mailto|https|tel):[^\s<>\"']+")  # it becomes a link, and a line of security.txt
_CURRENCY = re.compile(r"[A-Z]{3}")
_OWASP = re.compile(r"LLM(0[1-9]|10)")
_ATLAS = re.compile(r"AML\.T\d{4}(\.\d{3})?")


class ClauseKind(StrEnum):
    IN_SCOPE = "in_scope"
    OUT_OF_SCOPE = "out_of_scope"
    EXPECTED = "expected"
    REROUTED = "rerouted"


PREFIX: Mapping[ClauseKind, str] = {
    ClauseKind.IN_SCOPE: "IN",
    ClauseKind.OUT_OF_SCOPE: "OOS",
    ClauseKind.EXPECTED: "EXP",
    ClauseKind.REROUTED: "RTE",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered rule of the guidance.

    Both examples show the border: `in_scope_example` is something to report, and
    `out_of_scope_example` its neighbour on the other side.
    """

    clause_id: str
    kind: ClauseKind
    title: str
    text: str
    in_scope_example: str
    out_of_scope_example: str
    owasp: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a reporter is asked to wait before going public, in calendar days; never beyond the cap."""

    default_days: int
    high_days: int
    critical_days: int
    exploited_days: int
    cap_days: int


@dataclass(frozen=True, slots=True)
class RewardBand:
    """Least and most for one severity, in whole units of the currency."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class DuplicateSplit:
    """How duplicates that arrive within `window_days` of the canonical report share its reward.

    From `equal_from` upwards all of them share equally; below, the first, second, ... report gets
    `percent[0]`, `percent[1]`, ... of the band and later ones nothing.
    """

    window_days: int
    equal_from: Severity
    percent: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rewards:
    """What is paid, and by which rule; `yearly_budget` is in whole units, None where none is set."""

    currency: str
    bands: Mapping[Severity, RewardBand]
    duplicates: DuplicateSplit
    non_cash: tuple[str, ...]
    yearly_budget: int | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A standing that a reporter may earn, and what it gives.

    It takes `valid_reports` confirmed flaws and a `signal` (0 to 1) of at least that much. Limits on how
    often the reporter may send are multiplied by `rate_factor`.
    """

    name: str
    valid_reports: int
    signal: float
    rate_factor: int
    early_access: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy, complete and checked; make it with `parse` or `load`.

    `second_look_share` is the share of decisions (0 to 1) that a second reviewer makes again, blind.
    The three source texts are kept word for word; `sha256` names them together.
    """

    version: str
    title: str
    contact: str
    products: tuple[str, ...]
    incomplete_note: str
    safe_harbour: str
    clauses: tuple[Clause, ...]
    clocks: Clocks
    waiting: Waiting
    rewards: Rewards
    tiers: tuple[Tier, ...]
    second_look_share: float
    severity_table: Mapping[Key, Severity] = field(repr=False)
    priority_table: Mapping[Key, Priority] = field(repr=False)
    toml_text: str = field(repr=False)
    severity_csv: str = field(repr=False)
    priority_csv: str = field(repr=False)
    sha256: str

    def severity(self, inputs: SeverityInputs) -> Severity:
        """The severity of five inputs, from the table."""
        key = (inputs.harm, inputs.exposure, inputs.generality, inputs.reliability, inputs.uplift)
        return self.severity_table[key]

    def priority(self, severity: Severity, exploitation: Exploitation) -> Priority:
        """What to do when, from the table."""
        return self.priority_table[severity, exploitation]

    def clause(self, clause_id: str) -> Clause:
        """The clause of this id; raises NotFound naming the version."""
        for clause in self.clauses:
            if clause.clause_id == clause_id:
                return clause
        raise NotFound("clause", f"policy {self.version} has no clause {clause_id!r}")

    def waiting_days(self, severity: Severity | None, exploitation: Exploitation) -> int:
        """The waiting period in calendar days; `severity` is None before the first assessment.

        Seen attacks shorten the wait and never lengthen it.
        """
        days = self.waiting.default_days
        if severity is Severity.HIGH:
            days = self.waiting.high_days
        elif severity is Severity.CRITICAL:
            days = self.waiting.critical_days
        if exploitation is Exploitation.ACTIVE:
            days = min(days, self.waiting.exploited_days)
        return days

    def reward_band(self, severity: Severity) -> RewardBand | None:
        """The cash band of a severity; None for a severity of none."""
        return self.rewards.bands.get(severity)


def load(path: Path) -> Policy:
    """The policy in a folder, or the one whose TOML file is `path` (its tables stand beside it).

    Raises InvalidPolicy naming the file, and the row or dotted key in it.
    """
    toml = path / POLICY_TOML if path.is_dir() else path
    return parse(_text(toml), _text(toml.with_name(SEVERITY_CSV)), _text(toml.with_name(PRIORITY_CSV)))


def parse(toml_text: str, severity_csv: str, priority_csv: str) -> Policy:
    """The policy that three texts describe; raises InvalidPolicy naming the row or the dotted key."""
    top = Section.of(toml_text, POLICY_TOML)
    second_look = top.section("second_look")
    policy = Policy(
        version=_matching(
            top,
            "version",
            _VERSION,
            "letters, digits, dot, dash and underscore, a letter or digit first; 32 at most",
        ),
        title=top.text("title"),
        contact=_matching(top, "contact", _CONTACT, "one address that starts with mailto:, https: or tel:"),
        products=top.texts("products"),
        incomplete_note=top.text("incomplete_note"),
        safe_harbour=top.text("safe_harbour"),
        clauses=_clauses(top),
        clocks=_clocks(top.section("clocks")),
        waiting=_waiting(top.section("waiting")),
        rewards=_rewards(top.section("rewards")),
        tiers=_tiers(top),
        second_look_share=second_look.share("share"),
        severity_table=severity_table(severity_csv),
        priority_table=priority_table(priority_csv),
        toml_text=toml_text,
        severity_csv=severity_csv,
        priority_csv=priority_csv,
        # Neither TOML nor a checked table can hold NUL, so no two triples run together.
        sha256=hashlib.sha256("\0".join((toml_text, severity_csv, priority_csv)).encode()).hexdigest(),
    )
    second_look.close()
    top.close()
    return policy


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # spreadsheets save CSV with a byte order mark
    except FileNotFoundError:
        raise InvalidPolicy(path.name, f"is missing from {path.parent}") from None
    except UnicodeDecodeError as error:
        raise InvalidPolicy(path.name, f"is not UTF-8 at byte {error.start}") from None


def _matching(section: Section, key: str, pattern: re.Pattern[str], rule: str) -> str:
    return _match(section.text(key), section.where(key), pattern, rule)


def _match(value: str, path: str, pattern: re.Pattern[str], rule: str) -> str:
    if not pattern.fullmatch(value):
        raise InvalidPolicy(path, f"must be {rule}; not {value!r}")
    return value


def _clauses(top: Section) -> tuple[Clause, ...]:
    clauses: list[Clause] = []
    for section in top.sections("clause"):
        clause = _clause(section)
        if any(clause.clause_id == other.clause_id for other in clauses):
            raise InvalidPolicy(
                section.where("id"), f"repeats {clause.clause_id}; every clause has its own id"
            )
        clauses.append(clause)
    if not clauses:
        raise InvalidPolicy("clause", "must hold at least one clause")
    return tuple(clauses)


def _clause(section: Section) -> Clause:
    kind = ClauseKind(one_of(section.text("kind"), section.where("kind"), ClauseKind))
    prefix = PREFIX[kind]
    shape = re.compile(rf"{prefix}-[1-9]\d{{0,3}}")
    clause = Clause(
        clause_id=_matching(section, "id", shape, f"{prefix}- and a number, as its kind is {kind}"),
        kind=kind,
        title=section.text("title"),
        text=section.text("text"),
        in_scope_example=section.text("in_scope_example"),
        out_of_scope_example=section.text("out_of_scope_example"),
        owasp=_codes(section, "owasp", _OWASP, "LLM01 to LLM10"),
        atlas=_codes(section, "atlas", _ATLAS, "an ATLAS technique such as AML.T0051"),
    )
    section.close()
    return clause


def _codes(section: Section, key: str, pattern: re.Pattern[str], rule: str) -> tuple[str, ...]:
    codes = section.optional_texts(key)
    return tuple(_match(code, f"{section.where(key)}[{at}]", pattern, rule) for at, code in enumerate(codes))


def _clocks(section: Section) -> Clocks:
    zone = section.text("zone")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise InvalidPolicy(section.where("zone"), f"is no time zone of the IANA list: {zone!r}") from None
    days = section.texts("business_days")
    if not days:
        raise InvalidPolicy(section.where("business_days"), "must name at least one day")
    for at, day in enumerate(days):
        one_of(day, f"{section.where('business_days')}[{at}]", WEEKDAYS)
    fix = section.section("fix_days")
    clocks = Clocks(
        zone=zone,
        business_days=frozenset(WEEKDAYS.index(day) for day in days),
        holidays=section.dates("holidays"),
        first_response_days=section.whole("first_response_days", 1, LONGEST_DAYS),
        triage_days=section.whole("triage_days", 1, LONGEST_DAYS),
        bounty_days=section.whole("bounty_days", 1, LONGEST_DAYS),
        fix_days={severity: fix.whole(severity, 1, LONGEST_DAYS) for severity in GRADED},
    )
    fix.close()
    section.close()
    return clocks


def _waiting(section: Section) -> Waiting:
    cap = section.whole("cap_days", 1, LONGEST_DAYS)

    def period(key: str) -> int:
        days = section.whole(key, 1, LONGEST_DAYS)
        if days > cap:
            raise InvalidPolicy(section.where(key), f"is {days}, above {section.where('cap_days')}, {cap}")
        return days

    waiting = Waiting(
        default_days=period("default_days"),
        high_days=period("high_days"),
        critical_days=period("critical_days"),
        exploited_days=period("exploited_days"),
        cap_days=cap,
    )
    section.close()
    return waiting


def _rewards(section: Section) -> Rewards:
    bands = section.section("bands")
    split = section.section("duplicates")
    rewards = Rewards(
        currency=_matching(section, "currency", _CURRENCY, "three capital letters, such as USD"),
        bands={severity: _band(bands.section(severity)) for severity in GRADED},
        duplicates=DuplicateSplit(
            window_days=split.whole("window_days", 1, LONGEST_DAYS),
            equal_from=Severity(one_of(split.text("equal_from"), split.where("equal_from"), GRADED)),
            percent=split.wholes("percent", 0, 100),
        ),
        non_cash=section.texts("non_cash"),
        yearly_budget=section.optional_whole("yearly_budget", 0, LARGEST_BUDGET),
    )
    for part in (bands, split, section):
        part.close()
    return rewards


def _band(section: Section) -> RewardBand:
    band = RewardBand(
        minimum=section.whole("minimum", 0, LARGEST_REWARD),
        maximum=section.whole("maximum", 0, LARGEST_REWARD),
    )
    if band.minimum > band.maximum:
        raise InvalidPolicy(section.where("minimum"), "must not be above the maximum of its band")
    section.close()
    return band


def _tiers(top: Section) -> tuple[Tier, ...]:
    """The white-hat tiers, lowest first; each asks for more than the one before and gives no less."""
    tiers: list[Tier] = []
    for section in top.optional_sections("white_hat"):
        tier = Tier(
            name=section.text("name"),
            valid_reports=section.whole("valid_reports", 1, 1_000),
            signal=section.share("signal"),
            rate_factor=section.whole("rate_factor", 1, 100),
            early_access=section.flag("early_access"),
        )
        section.close()
        if tiers:
            _check_above(tiers[-1], tier, section)
        tiers.append(tier)
    return tuple(tiers)


def _check_above(lower: Tier, tier: Tier, section: Section) -> None:
    if tier.valid_reports <= lower.valid_reports:
        raise InvalidPolicy(section.where("valid_reports"), f"must be above those of {lower.name!r}")
    for key in ("signal", "rate_factor", "early_access"):
        if getattr(tier, key) < getattr(lower, key):
            raise InvalidPolicy(section.where(key), f"must not be below that of {lower.name!r}")
