"""The files of ours that run in the browser, each as a component that Streamlit serves.

They are served as files, since the content policy allows no inline script.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import LiteralString

import streamlit as st
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

# Streamlit serves a component's files when an installed package declares them; this declares ours.
_MANIFEST = ComponentManifest(
    "flawdesk", "1", [ComponentConfig(name, "assets") for name in ("arrive", "focus", "keys", "looks")]
)


def served(name: LiteralString) -> Callable[..., object]:
    """What mounts the component of this name, whose script is assets/`name`.js."""
    manager = st.runtime.get_instance().bidi_component_registry
    if manager.get_component_path(f"flawdesk.{name}") is None:
        manager.register_from_manifest(_MANIFEST, Path(__file__).parent)
    return st.components.v2.component(f"flawdesk.{name}", js=f"{name}.js")
