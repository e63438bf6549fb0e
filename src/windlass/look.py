"""`look:` of windlass.yaml: the name, the logo and the colours of a product's pages.

Contrast is that of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio); text needs 4.5 to be read by all.
"""

import re

from pydantic import Field, ValidationInfo, field_validator

from windlass.strict_yaml import Strict

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
LEAST_CONTRAST = 4.5
LIGHT, DARK = ("#fbfaf8", "#ffffff"), ("#13161b", "#1a1e25")
"""Grounds of the pages, which `accent` is read on."""
INK = ("#ffffff", "#0c1117")
"""What is written on the accent: whichever is read better."""
ORIGIN = r"^(https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?$"
"""Of a page that may embed the widget: nothing behind the port, and no pattern."""
LOGOS = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
"""Suffix -> media type."""


class Look(Strict):
    """How the pages of the product look."""

    name: str = Field(default="", max_length=80, description="what people call the product, in any language")
    tagline: str = Field(default="", max_length=200, description="one line of what it is for, below its name")
    tagline_zh: str = Field(default="", max_length=200, description="the same for readers of Chinese")
    logo: str = Field(
        default="", max_length=300, description="a file of the project: .svg, .png, .webp or .jpg, at most 200 KB"
    )
    accent: str = Field(
        default="", description="colour of buttons and links, such as '#1f5fa8'; contrast of 4.5 on a light page"
    )
    accent_dark: str = Field(
        default="", description="the same on a dark page; not given: `accent`, as much lighter as it must be"
    )

    @field_validator("logo")
    @classmethod
    def _logo(cls, value: str) -> str:
        parts = value.replace("\\", "/").split("/")
        is_inside = not value.startswith(("/", "~")) and ".." not in parts and ":" not in value
        if value and not (is_inside and suffix(value) in LOGOS):
            raise ValueError(f"expected a path inside the project that ends in {', '.join(LOGOS)}")
        return value

    @field_validator("accent", "accent_dark")
    @classmethod
    def _colour(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if not COLOUR.fullmatch(value):
            raise ValueError("expected a colour such as '#1f5fa8'")
        grounds = LIGHT if info.field_name == "accent" else DARK
        if (found := worst(value, grounds)) < LEAST_CONTRAST:
            better = readable(value, grounds)
            raise ValueError(
                f"expected a contrast of at least {LEAST_CONTRAST} on a {'light' if grounds is LIGHT else 'dark'} page "
                f"and not {found:.1f}; '{better}' has it"
            )
        return value.lower()


def suffix(path: str) -> str:
    """Of a file name, in small letters, `.jpeg` as `.jpg`."""
    found = path[path.rfind(".") :].lower() if "." in path else ""
    return ".jpg" if found == ".jpeg" else found


def style(look: Look) -> str:
    """The rules that give pages these colours, light and dark; empty where none are given."""
    if not look.accent and not look.accent_dark:
        return ""
    light = look.accent or readable(look.accent_dark, LIGHT)
    dark = look.accent_dark or readable(look.accent, DARK)

    def rule(accent: str) -> str:
        on_accent = max(INK, key=lambda ink: contrast(accent, ink))
        return f":root {{ --accent: {accent}; --mark: {accent}; --on-accent: {on_accent}; }}"

    return (
        f"\n{rule(light)}\n@media (prefers-color-scheme: dark) {{ {rule(dark)} }}\n@media print {{ {rule(light)} }}\n"
    )


def readable(colour: str, grounds: tuple[str, ...]) -> str:
    """The colour, as much darker or lighter as it must be to be read on these grounds."""
    towards = 0 if grounds is LIGHT else 255
    for step in range(101):
        parts = [round(part + (towards - part) * step / 100) for part in _parts(colour)]
        found = f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"
        if worst(found, grounds) >= LEAST_CONTRAST:
            return found
    return "#000000" if towards == 0 else "#ffffff"


def worst(colour: str, grounds: tuple[str, ...]) -> float:
    """The least contrast with any of them."""
    return min(contrast(colour, ground) for ground in grounds)


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white), of two colours such as '#1f5fa8'."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, 0-1 (WCAG 2.2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (number / 255 for number in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
