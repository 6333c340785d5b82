"""Inbox: what has come in, as views that are links, filtered and paged in SQL, with one decision for many."""

from __future__ import annotations

import streamlit as st

from triage_core import queries
from ui import empty, filters, many, session, worker
from ui.desk import listing, views

st.title("Inbox", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
listing.follow()
many.resume()

head = st.container()  # the views above the filters, which say which view stands
chosen, sort = filters.draw()
with head:
    views.draw()
seen, now = session.stamp(), session.now()
worker.line(seen)
if listing.found(chosen, sort)[1]:
    listing.draw(chosen, sort, seen, now)
else:
    empty.nothing_found(chosen.words)
