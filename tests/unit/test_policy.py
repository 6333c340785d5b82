"""The shipped policy says what the domain says, and a broken one is refused by file, row or key."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from triage_core.errors import InvalidPolicy, NotFound
from triage_core.guidance.policy import PREFIX, Policy, RewardBand, load, parse
from triage_core.model import (
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Priority,
    Reliability,
    Severity,
    SeverityInputs,
    Uplift,
)

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(DATA)


def swapped(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must be in the file once"
    return text.replace(old, new)


def refused_toml(policy: Policy, old: str, new: str) -> InvalidPolicy:
    with pytest.raises(InvalidPolicy) as caught:
        parse(swapped(policy.toml_text, old, new), policy.severity_csv, policy.priority_csv)
    return caught.value


def refused_severity(policy: Policy, change: Callable[[list[str]], object]) -> InvalidPolicy:
    lines = policy.severity_csv.splitlines()
    change(lines)
    with pytest.raises(InvalidPolicy) as caught:
        parse(policy.toml_text, "\n".join(lines), policy.priority_csv)
    return caught.value


def test_shipped_policy_has_the_starter_clauses(policy: Policy) -> None:
    ids = {clause.clause_id for clause in policy.clauses}
    assert ids == {f"IN-{n}" for n in range(1, 8)} | {f"OOS-{n}" for n in range(1, 4)} | {
        "EXP-1",
        "EXP-2",
        "RTE-1",
        "RTE-2",
    }
    assert all(clause.clause_id.startswith(PREFIX[clause.kind] + "-") for clause in policy.clauses)
    assert "incomplete" in policy.incomplete_note


def test_every_clause_reference_in_an_example_exists(policy: Policy) -> None:
    for clause in policy.clauses:
        for example in (clause.in_scope_example, clause.out_of_scope_example):
            if "(see " in example:
                policy.clause(example.split("(see ")[1].split(")")[0])


def test_severity_counts(policy: Policy) -> None:
    counts = Counter(policy.severity_table.values())
    assert counts == {
        Severity.NONE: 40,
        Severity.LOW: 87,
        Severity.MEDIUM: 44,
        Severity.HIGH: 46,
        Severity.CRITICAL: 53,
    }


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        # recipe on one model, 3 of 10
        (("H3", "self", "instance", "intermittent", "yes"), Severity.MEDIUM),
        # the same, freely searchable
        (("H3", "self", "instance", "intermittent", "no"), Severity.LOW),
        # the same technique universal, 9 of 10
        (("H3", "self", "universal", "reliable", "yes"), Severity.HIGH),
        # one-click indirect injection that leaks another user's data
        (("H3", "other", "retargetable", "reliable", "yes"), Severity.HIGH),
        # zero-click
        (("H3", "mass", "retargetable", "reliable", "yes"), Severity.CRITICAL),
        # bare system prompt
        (("H0", "self", "instance", "reliable", "no"), Severity.NONE),
    ],
)
def test_worked_examples(policy: Policy, inputs: tuple[str, ...], expected: Severity) -> None:
    harm, exposure, generality, reliability, uplift = inputs
    given = SeverityInputs(
        Harm(harm), Exposure(exposure), Generality(generality), Reliability(reliability), Uplift(uplift)
    )
    assert policy.severity(given) is expected


@pytest.mark.parametrize(
    ("severity", "row"),
    [
        (Severity.NONE, "close close defer"),
        (Severity.LOW, "defer scheduled scheduled"),
        (Severity.MEDIUM, "scheduled scheduled out_of_cycle"),
        (Severity.HIGH, "out_of_cycle out_of_cycle immediate"),
        (Severity.CRITICAL, "out_of_cycle immediate immediate"),
    ],
)
def test_priority(policy: Policy, severity: Severity, row: str) -> None:
    assert [policy.priority(severity, one) for one in Exploitation] == [Priority(p) for p in row.split()]


@pytest.mark.parametrize(
    ("severity", "exploitation", "days"),
    [
        (None, Exploitation.NONE, 45),
        (Severity.LOW, Exploitation.PUBLIC_POC, 45),
        (Severity.HIGH, Exploitation.NONE, 14),
        (Severity.CRITICAL, Exploitation.NONE, 7),
        (None, Exploitation.ACTIVE, 7),
    ],
)
def test_waiting_days(
    policy: Policy, severity: Severity | None, exploitation: Exploitation, days: int
) -> None:
    assert policy.waiting_days(severity, exploitation) == days


def test_seen_attacks_never_lengthen_the_wait(policy: Policy) -> None:
    text = swapped(policy.toml_text, "exploited_days = 7", "exploited_days = 20")
    longer = parse(text, policy.severity_csv, policy.priority_csv)
    assert longer.waiting_days(Severity.CRITICAL, Exploitation.ACTIVE) == 7


def test_reward_band(policy: Policy) -> None:
    assert policy.reward_band(Severity.MEDIUM) == RewardBand(500, 2500)
    assert policy.reward_band(Severity.NONE) is None


def test_unknown_clause(policy: Policy) -> None:
    with pytest.raises(NotFound, match=r"2026\.2 has no clause 'IN-99'"):
        policy.clause("IN-99")


def test_source_texts_rebuild_the_same_policy(policy: Policy) -> None:
    again = parse(policy.toml_text, policy.severity_csv, policy.priority_csv)
    assert again == policy
    changed = parse(policy.toml_text + "# note\n", policy.severity_csv, policy.priority_csv)
    assert changed.sha256 != policy.sha256


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("mailto:ai-flaws@example.org", "javascript:alert(1)", "contact"),
        ("mailto:ai-flaws@example.org", "https://example.org\\nContact: mailto:x@example.org", "contact"),
        ("How to report a flaw", "How to \\u0000report a flaw", "title"),
        ('version = "2026.2"\n', "", "version"),
        ('version = "2026.2"', "version = 2026.2", "version"),
        ('version = "2026.2"', 'version = "../2026"', "version"),
        ('products = ["Harbor Assistant", ', 'products = ["", ', "products[0]"),
        (
            'products = ["Harbor Assistant", "Kite Travel Agent", "Lumen Tutor", "Pantry Chef", '
            '"Alder Bank Helper", "Clover Office Agent", "not sure"]',
            "products = 1",
            "products",
        ),
        ("[second_look]\n", "[[second_look]]\n", "second_look"),
        ("triage_days = 5 ", "triage_days = 0 ", "clocks.triage_days"),
        ("triage_days = 5 ", "triage_days = true ", "clocks.triage_days"),
        ('zone = "UTC"', 'zone = "Mars/Olympus"', "clocks.zone"),
        ('zone = "UTC"', 'zone = "../UTC"', "clocks.zone"),
        ('["mon", "tue", "wed", "thu", "fri"]', "[]", "clocks.business_days"),
        ('"mon", "tue"', '"mon", "Tuesday"', "clocks.business_days[1]"),
        ("[2026-01-01, ", '["2026-01-01", ', "clocks.holidays[0]"),
        ("critical = 7\n", "", "clocks.fix_days.critical"),
        ("high_days = 14", "high_days = 181", "waiting.high_days"),
        ("cap_days = 180", "cap_days = 100000", "waiting.cap_days"),
        ("high_days = 14", "high_days = 14\nhihg_days = 3", "waiting.hihg_days"),
        ("maximum = 2500", "maximum = 400", "rewards.bands.medium.minimum"),
        ("maximum = 2500", 'maximum = "2500"', "rewards.bands.medium.maximum"),
        ('equal_from = "medium"', 'equal_from = "none"', "rewards.duplicates.equal_from"),
        ("percent = [100, 50, 20]", "percent = [100, 150]", "rewards.duplicates.percent[1]"),
        ("share = 0.1", "share = 1.5", "second_look.share"),
        ("share = 0.1", "share = nan", "second_look.share"),
        ('id = "IN-2"', 'id = "IN-1"', "clause[1].id"),
        ('id = "IN-2"', 'id = "OOS-2"', "clause[1].id"),
        ('id = "OOS-1"\nkind = "out_of_scope"', 'id = "OOS-1"\nkind = "oos"', "clause[7].kind"),
        ('["LLM01", "LLM06"]', '["LLM01", "LLM11"]', "clause[3].owasp[1]"),
        ('["AML.T0051", "AML.T0053"]', '["T0051"]', "clause[3].atlas[0]"),
        ("[second_look]", "[second_look", "policy.toml"),
    ],
)
def test_bad_toml_is_refused_by_dotted_path(policy: Policy, old: str, new: str, field: str) -> None:
    assert refused_toml(policy, old, new).field == field


def test_a_policy_without_clauses_is_refused(policy: Policy) -> None:
    head, rest = policy.toml_text.split("[[clause]]", 1)
    tail = rest[rest.index("[clocks]") :]
    for clauses, rule in (("clause = []\n", "at least one"), ("clause = [1]\n", "must be a table")):
        with pytest.raises(InvalidPolicy, match=rule):
            parse(head + clauses + tail, policy.severity_csv, policy.priority_csv)


@pytest.mark.parametrize("which", ["in_scope_example", "out_of_scope_example"])
def test_a_clause_needs_both_examples(policy: Policy, which: str) -> None:
    start = f'\n{which} = "'
    line = next(
        start.strip() + rest.splitlines()[0]
        for rest in policy.toml_text.split(start)[1:]
        if not rest.startswith('""')
    )
    assert refused_toml(policy, line, "").field.endswith(f".{which}")
    assert refused_toml(policy, line, f'{which} = " "').field.endswith(f".{which}")


def test_missing_severity_row_is_named(policy: Policy) -> None:
    error = refused_severity(policy, lambda lines: lines.pop(16))
    assert error.field == "severity.csv"
    assert "has no row for (H0, self, universal, intermittent, yes); 1 missing" in error.rule


def test_duplicate_severity_row_names_both(policy: Policy) -> None:
    error = refused_severity(policy, lambda lines: lines.append(lines[4]))
    assert error.field.startswith("severity.csv row 272 (H0, self, instance, intermittent, yes, ")
    assert error.rule == "repeats the inputs of row 5"


def test_unknown_value_names_row_and_column(policy: Policy) -> None:
    def misspell(lines: list[str]) -> None:
        lines[16] = "H0,self,universal,intermittent,yes,severe"

    error = refused_severity(policy, misspell)
    assert error.field == "severity.csv row 17 (H0, self, universal, intermittent, yes, severe)"
    assert error.rule.startswith("severity must be one of none, low, medium, high, critical")


def test_short_row_is_refused(policy: Policy) -> None:
    error = refused_severity(policy, lambda lines: lines.__setitem__(9, "H0,self"))
    assert error.field == "severity.csv row 10 (H0, self)"


def test_non_monotone_row_names_both_rows(policy: Policy) -> None:
    def lower(lines: list[str]) -> None:
        at = lines.index("H4,mass,universal,reliable,yes,critical")
        assert at == 270
        lines[at] = "H4,mass,universal,reliable,yes,high"

    error = refused_severity(policy, lower)
    assert error.field == "severity.csv row 271 (H4, mass, universal, reliable, yes)"
    assert "gives high, less than the critical of row 217 (H3, mass, universal, reliable, yes)" in error.rule
    assert error.rule.endswith("only harm is raised")


def test_non_monotone_priority_names_the_row(policy: Policy) -> None:
    text = swapped(policy.priority_csv, "medium,active,out_of_cycle", "medium,active,defer")
    with pytest.raises(InvalidPolicy, match=r"priority\.csv row 10 \(medium, active\)"):
        parse(policy.toml_text, policy.severity_csv, text)


@pytest.mark.parametrize("header", ["", "harm;exposure;generality;reliability;uplift;severity"])
def test_wrong_header_is_refused(policy: Policy, header: str) -> None:
    error = refused_severity(policy, lambda lines: lines.__setitem__(0, header))
    assert error.field == "severity.csv header"


def test_text_that_is_not_csv_is_refused(policy: Policy) -> None:
    error = refused_severity(policy, lambda lines: lines.__setitem__(3, 'H0,self,"instance"x,rare,no,none'))
    assert error.field == "severity.csv row 4"


def test_row_order_blank_lines_and_spaces_do_not_matter(policy: Policy) -> None:
    header, *rows = csv.reader(policy.severity_csv.splitlines())
    text = "\n\n".join(" , ".join(row) for row in [header, *reversed(rows)])
    table = parse(policy.toml_text, text, policy.priority_csv).severity_table
    assert table == policy.severity_table


def copy(policy: Policy, folder: Path) -> None:
    (folder / "policy.toml").write_text(policy.toml_text, encoding="utf-8")
    (folder / "severity.csv").write_text(policy.severity_csv, encoding="utf-8")
    (folder / "priority.csv").write_text(policy.priority_csv, encoding="utf-8")


def test_load_takes_the_folder_or_its_toml_file(policy: Policy, tmp_path: Path) -> None:
    copy(policy, tmp_path)
    (tmp_path / "policy.toml").rename(tmp_path / "next.toml")
    assert load(tmp_path / "next.toml") == policy
    with pytest.raises(InvalidPolicy, match=r"policy\.toml: is missing"):
        load(tmp_path)


def test_a_table_saved_by_a_spreadsheet_is_the_same_policy(policy: Policy, tmp_path: Path) -> None:
    copy(policy, tmp_path)
    marked = policy.severity_csv.replace("\n", "\r\n")
    (tmp_path / "severity.csv").write_bytes(marked.encode("utf-8-sig"))
    assert load(tmp_path).sha256 == policy.sha256


def test_a_file_that_is_not_utf8_is_refused(policy: Policy, tmp_path: Path) -> None:
    copy(policy, tmp_path)
    (tmp_path / "priority.csv").write_bytes(b"severity\xff")
    with pytest.raises(InvalidPolicy, match=r"priority\.csv: is not UTF-8 at byte 8"):
        load(tmp_path)


# ------------------------------------------------------------------ white hats and budget


def test_shipped_tiers_and_budget(policy: Policy) -> None:
    assert policy.rewards.yearly_budget == 50_000
    assert [(tier.name, tier.rate_factor, tier.early_access) for tier in policy.tiers] == [
        ("Known", 2, False),
        ("Trusted", 5, False),
        ("Partner", 10, True),
    ]


def test_a_policy_of_an_earlier_release_has_neither_tiers_nor_budget(policy: Policy) -> None:
    start, end = policy.toml_text.index("[[white_hat]]"), policy.toml_text.index("[second_look]")
    lines = (policy.toml_text[:start] + policy.toml_text[end:]).splitlines()
    text = "\n".join(line for line in lines if not line.startswith("yearly_budget"))
    earlier = parse(text, policy.severity_csv, policy.priority_csv)
    assert (earlier.tiers, earlier.rewards.yearly_budget) == ((), None)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("yearly_budget = 50000", "yearly_budget = -1", "rewards.yearly_budget"),
        ("valid_reports = 5", "valid_reports = 1", "white_hat[1].valid_reports"),
        ("signal = 0.6", "signal = 0.4", "white_hat[1].signal"),
        ("signal = 0.7", "signal = 1.7", "white_hat[2].signal"),
        ("rate_factor = 10", "rate_factor = 4", "white_hat[2].rate_factor"),
        ("early_access = true", 'early_access = "yes"', "white_hat[2].early_access"),
        ('name = "Partner"', 'name = "Partner"\ncolour = "gold"', "white_hat[2].colour"),
    ],
)
def test_a_tier_asks_for_more_and_gives_no_less(policy: Policy, old: str, new: str, path: str) -> None:
    assert refused_toml(policy, old, new).field == path
