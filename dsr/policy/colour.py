"""Whether an accent colour can be read, by WCAG 2.2's contrast ratio."""

from __future__ import annotations

import re

LIGHT_GROUND = "#fbfaf8"
DARK_GROUND = "#14191b"
WHITE = "#ffffff"
DARK_INK = "#07211e"
READABLE = 4.5  # WCAG 2.2, 1.4.3: text of ordinary size

HEX = re.compile(r"#[0-9a-fA-F]{6}")


def contrast(one: str, other: str) -> float:
    """The ratio of two #rrggbb colours, 1 to 21. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_on(ground: str) -> str:
    """White or dark ink, whichever reads better on this ground."""
    return max((WHITE, DARK_INK), key=lambda ink: contrast(ink, ground))


def lightened(colour: str, ground: str = DARK_GROUND, ratio: float = 7.0) -> str:
    """The colour mixed with white until it reads on a dark ground; for a policy that gives no accent_dark."""
    channels = _channels(colour)
    for step in range(0, 101, 4):
        mixed = "#" + "".join(f"{round(value + (255 - value) * step / 100):02x}" for value in channels)
        if contrast(mixed, ground) >= ratio:
            return mixed
    return WHITE


def unreadable(colour: str, grounds: dict[str, str]) -> tuple[str, float] | None:
    """The first ground on which the colour is below 4.5, with the measured ratio, or None."""
    for name, ground in grounds.items():
        ratio = contrast(colour, ground)
        if ratio < READABLE:
            return name, ratio
    return None


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
