"""The Streamlit configuration names real options, and its colours can be read in both appearances."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit import config as streamlit_config

BODY_TEXT = 4.5  # WCAG 2.2 AA, 1.4.3
GRAPHICS = 3.0  # WCAG 2.2 AA, 1.4.11
CAPTION = 0.6  # Streamlit draws captions in the text's colour at this opacity
SEMANTIC = ("red", "orange", "yellow", "green", "blue", "violet", "gray")


@pytest.fixture(scope="module")
def configuration(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / ".streamlit" / "config.toml").read_text())


def options(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from options(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def faded(ink: str, ground: str, opacity: float) -> str:
    pairs = ((int(ink[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(opacity * top + (1 - opacity) * under):02x}" for top, under in pairs)


def test_every_option_exists(configuration: dict[str, Any]) -> None:
    known = streamlit_config.get_config_options()
    assert [name for name in options(configuration) if name not in known] == []


def test_nothing_leaves_by_configuration(configuration: dict[str, Any]) -> None:
    assert configuration["server"]["address"] == "127.0.0.1"
    assert configuration["browser"] == {"serverAddress": "localhost", "gatherUsageStats": False}
    assert configuration["client"]["showErrorDetails"] == "none"
    assert configuration["client"]["showErrorLinks"] is False
    assert configuration["client"]["disableDataExport"] is True
    assert configuration["server"]["enableAgentApi"] is False
    assert configuration["runner"]["magicEnabled"] is False
    assert "http" not in str(configuration["theme"]), "fonts and colours come from here"


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_colours_can_be_read(configuration: dict[str, Any], appearance: str) -> None:
    theme = configuration["theme"][appearance]
    page, panel = theme["backgroundColor"], theme["secondaryBackgroundColor"]
    sidebar = theme["sidebar"]
    pairs = [
        (theme[text], ground, BODY_TEXT) for text in ("textColor", "linkColor") for ground in (page, panel)
    ]
    pairs += [(theme["textColor"], sidebar["backgroundColor"], BODY_TEXT)]
    pairs += [(faded(theme["textColor"], ground, CAPTION), ground, BODY_TEXT) for ground in (page, panel)]
    pairs += [(theme["codeTextColor"], theme["codeBackgroundColor"], BODY_TEXT)]
    pairs += [(theme["dataframeHeaderTextColor"], theme["dataframeHeaderBackgroundColor"], BODY_TEXT)]
    pairs += [("#ffffff", theme["primaryColor"], BODY_TEXT), (theme["primaryColor"], page, GRAPHICS)]
    for name in SEMANTIC:
        pairs += [
            (theme[f"{name}TextColor"], ground, BODY_TEXT)
            for ground in (page, theme[f"{name}BackgroundColor"])
        ]
        pairs += [(theme[f"{name}Color"], page, GRAPHICS)]
    pairs += [(colour, page, GRAPHICS) for colour in theme["chartCategoricalColors"]]
    too_faint = [
        f"{ink} on {ground}: {contrast(ink, ground):.2f} < {least}"
        for ink, ground, least in pairs
        if contrast(ink, ground) < least
    ]
    assert too_faint == []
