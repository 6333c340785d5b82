"""What reporters wrote reaches Markdown only through ui.hostile; what is drawn has words; the checkers are checked."""

from __future__ import annotations

import ast
import inspect
import re

import pytest
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from tests.architecture.rendering import ALWAYS, FORBIDDEN, RENDERS, Signatures, unnamed, untrusted
from tests.architecture.source import matches, modules

SCREENS = ("dashboard", "pages.*", "ui.*")
DOOR = "ui.hostile"


# What this Streamlit draws as a picture or on a canvas: all that takes words for who cannot see it.
DRAWING = {
    name
    for name, call in inspect.getmembers(DeltaGenerator, inspect.isfunction)
    if "alt" in inspect.signature(call).parameters
}


def findings(source: str) -> list[str]:
    tree = ast.parse(source)
    return untrusted(tree, Signatures.of([tree]))


def test_screens_render_no_untrusted_text() -> None:
    signatures = Signatures.of(module.tree for module in modules().values())
    found = [
        f"{module.path.name}:{finding}"
        for name, module in modules().items()
        if any(matches(name, screen) for screen in SCREENS) and name != DOOR
        for finding in untrusted(module.tree, signatures)
    ]
    assert found == []


def test_every_chart_and_table_has_words_for_who_cannot_see_it() -> None:
    assert {"dataframe", "data_editor", "plotly_chart", "image", "line_chart"} <= DRAWING
    found = [
        f"{module.path.name}:{finding}"
        for name, module in modules().items()
        if any(matches(name, screen) for screen in SCREENS)
        for finding in unnamed(module.tree, DRAWING)
    ]
    assert found == []
    drawn = ["st.dataframe(rows)", "table.plotly_chart(figure, alt='')", "st.data_editor(rows, alt='Rows')"]
    assert [len(unnamed(ast.parse(source), DRAWING)) for source in drawn] == [1, 1, 0]


@pytest.mark.parametrize(
    "source",
    [
        "st.markdown('**Ours**')",
        "st.caption(f'{len(rows)} reports, {share:.0%} of {total:,} since {day:%d %b}')",
        "st.warning(f'Kept: {plain(report.title)}')",
        "st.warning(f'Kept: {hostile.plain(report.title)}')",
        "st.info(EMPTY_INBOX if not rows else HINTS[kind])",
        "st.text(report.text)\nst.code(report.text)\nst.text_area('Text', report.text, key='t')",
        "st.selectbox('Model', models)",
        "st.radio('Role', list(DeskRole))",
        "st.radio('Candidate', rows, format_func=plain)",
        "st.pills('Role', rows, format_func=lambda row: LABELS[row])",
        "for labels in ALL:\n    st.pills('R', rows, format_func=lambda row, labels=labels: labels[row])",
        "for role in DeskRole:\n    st.button(f'Be {role.value}')",
        "title = 'Inbox' if empty else f'Inbox {n:,}'\nst.title(title)",
        "lines = []\nlines.append(f'{n:,} new')\nst.markdown(' '.join(lines))",
        "def note(text: LiteralString):\n    st.info(text)\nnote('Saved.')",
        "def badge(s) -> LiteralString:\n    return NAMES[s]\nst.markdown(badge(report.status))",
        "st.tabs(['One', 'Two'])\nst.metric('Open', f'{n:,}', delta=round(change))",
        "st.markdown(' · '.join(f'{plain(part)}' for part in parts))",
        "from triage_core import queries\nqueries.status(report_id)",
        "st.navigation([st.Page(file, title=TITLES[file]) for file in files])",
    ],
)
def test_own_text_passes(source: str) -> None:
    assert findings(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "st.markdown(report.text)",
        "column.caption(f'{report.text}')",
        "st.error(f'{report.text:>20}')",
        "st.error(f'{report.text!r:}')",
        "st.error('Refused: ' + str(error))",
        "st.button('Go', help=report.text)",
        "st.metric('Reporter', name)",
        "st.radio('Candidate', [report.text for report in rows])",
        "st.pills('Candidate', rows, format_func=lambda row: row.text)",
        "st.pills('Candidate', rows, format_func=lambda row, names=names: names[row])",
        "st.tabs([report.title for report in rows])",
        "text = 'ours'\ntext = report.text\nst.info(text)",
        "TITLE = report.title\nst.title(TITLE)",
        "for report in rows:\n    st.expander(report.title)",
        "for name, text in FIXED.items() if ok else rows:\n    st.info(text)",
        "def note(text: str):\n    st.info(text)",
        "def note(text: LiteralString):\n    st.info(text)\nnote(report.text)",
        "def badge(s) -> LiteralString:\n    return s\nst.markdown(badge(report.status))",
        "st.navigation({heading: [] for heading in texts})",
        "st.write(report)",
        "st.table(rows)",
        "st.markdown('ours', unsafe_allow_html=True)",
        "show = st.error\nshow(report.text)",
        "getattr(st, kind)(report.text)",
        "from streamlit import markdown",
        "import streamlit",
        "lines = []\nlines.append(report.title)\nst.markdown(' '.join(lines))",
        "st.markdown(report.plain())",
        "st.info(*texts)",
        "with open(path) as text:\n    st.info(text)",
        "st.info(HINTS.get(kind, kind))",
    ],
)
def test_untrusted_text_is_found(source: str) -> None:
    assert findings(source) != []


def test_table_of_calls_covers_this_streamlit() -> None:
    """Every parameter that the installed Streamlit documents as Markdown is in the table."""
    missing = []
    for name in {*dir(st), *dir(DeltaGenerator)} - FORBIDDEN:
        call = getattr(DeltaGenerator, name, None) or getattr(st, name, None)
        for description in re.split(r"\n(?=\w+ : )", inspect.getdoc(call) or "")[1:]:
            parameter = description.split(" :")[0]
            is_markdown = "can optionally contain GitHub-flavored Markdown" in description
            if is_markdown and parameter not in {*RENDERS.get(name, ()), *ALWAYS}:
                missing.append(f"{name}({parameter}=)")
    assert missing == []
