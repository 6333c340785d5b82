"""Whether the public form answers: asked as a proxy would ask, over this machine's own interface."""

from __future__ import annotations

import http.client

import streamlit as st

from triage_core.front import HERE

PATH = "/report"
PATIENCE_S = 5.0


@st.cache_data(ttl=30, show_spinner=False)
def answers(host: str) -> bool:
    """Whether the form is given out by the server of this process; `host` is the public address, "" for none."""
    server = str(st.get_option("server.address") or HERE[0]), int(st.get_option("server.port"))
    connection = http.client.HTTPConnection(*server, timeout=PATIENCE_S)
    try:
        connection.request("GET", PATH, headers={"Host": host} if host else {})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
