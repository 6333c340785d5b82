"""Why a severity is what it is: the inputs as they stand, and the single steps that would change it."""

from __future__ import annotations

import streamlit as st

from triage_core.guidance.policy import Policy
from triage_core.guidance.severity_steps import steps
from triage_core.model import SeverityInputs
from ui.hostile import plain
from ui.words import SEVERITY_INPUTS, severity_badge


def draw(policy: Policy, inputs: SeverityInputs) -> None:
    """A popover with the row of the table that holds, and the rows one step away that give another level."""
    with st.popover("Why this level", type="tertiary", icon=":material/help:"):
        st.caption(f"The table of policy {plain(policy.version)} gives for")
        for name, (label, _, levels) in SEVERITY_INPUTS.items():
            st.markdown(f"{label}: **{levels[getattr(inputs, name)]}**")
        st.markdown(f"the level {severity_badge(policy.severity(inputs))}.")
        found = steps(policy, inputs)
        if not found:
            st.caption("No single step of one input changes it.")
            return
        st.caption("One step of one input would make it another level:")
        for step in found:
            label, _, levels = SEVERITY_INPUTS[step.name]
            st.markdown(f"{label} **{levels[step.value]}**: {severity_badge(step.severity)}")
