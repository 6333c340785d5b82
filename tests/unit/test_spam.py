"""Signs of spam: an ordinary report has none, what sells something has several."""

from __future__ import annotations

from tests.making import make_report
from triage_core.channel import reportformat, spam


def suggest(**fields: object) -> spam.Suggestion:
    return spam.suggest(reportformat.parse(make_report(**fields)))


def test_an_ordinary_report_has_no_sign() -> None:
    assert suggest() == spam.Suggestion(0.0, ())


def test_an_offer_with_links_is_seen_and_named() -> None:
    link = "https://example.org/a "
    found = suggest(what_is_wrong=f"Buy now, discount code inside {link * 3}")
    assert found.score >= 0.8
    assert found.signs == ("offers something", "many links", "links in the description")


def test_the_score_never_exceeds_one_and_signs_add_up() -> None:
    turns = [{"role": "user", "content": "casino " * 40 + "!!!!!!!!!!!!"}]
    found = suggest(what_is_wrong="www.a.example www.b.example www.c.example casino", turns=turns)
    assert 0.9 < found.score <= 1.0
    assert "no answer of the system" in found.signs


def test_nothing_is_said_of_a_report_without_evidence() -> None:
    fields = make_report(illegal_minor_content=True)
    del fields["turns"], fields["what_is_wrong"]
    assert spam.suggest(reportformat.parse(fields)).score == 0


def test_letters_beyond_ascii_hide_no_offer_and_no_link() -> None:
    found = suggest(
        what_is_wrong="Visit the ca\u017fino caf\u00e9 at HTTP\u017f://a.example or WWW.b.example"
    )
    assert found.signs == ("offers something", "links in the description")
