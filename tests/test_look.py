"""How pages look: colours that can be read, and a logo that is a picture of the project's own."""

from pathlib import Path

import pytest

from windlass.errors import SpecError
from windlass.look import DARK, LIGHT, Look, contrast, readable, style, worst
from windlass.serving.contract.page_look import read
from windlass.spec import parse

SPEC = "name: desk\ndata: d.csv\ninputs: {message: text}\noutput: {intent: category}\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21; #767676 on white is 4.54, the well-known grey that just passes."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#777777", "#ffffff") < 4.5
    assert contrast("#336699", "#336699") == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("accent: blue", "expected a colour such as '#1f5fa8'"),
        ("accent: '#fff'", "expected a colour such as"),
        ("accent: '#ffee00'", "expected a contrast of at least 4.5 on a light page and not 1.2; '#"),
        ("accent_dark: '#102030'", "on a dark page"),
        ("accent: 'red;} body {display:none'", "expected a colour"),
        ("logo: ../logo.svg", "expected a path inside the project"),
        ("logo: /etc/logo.svg", "expected a path inside the project"),
        ("logo: https://example.com/logo.svg", "expected a path inside the project"),
        ("logo: logo.gif", "that ends in .svg, .png, .webp, .jpg"),
        ("colour: '#000000'", "has the unknown key 'look.colour'"),
    ],
)
def test_what_pages_cannot_look_like_is_refused(given: str, says: str) -> None:
    with pytest.raises(SpecError, match="look") as refused:
        parse(f"{SPEC}look: {{{given}}}\n")
    assert says in str(refused.value)


@pytest.mark.parametrize("origin", ["*", "http://shop.example.com", "https://shop.example.com/", "https://*.example.com",
                                    "https://a.example.com https://b", "'self'"])  # fmt: skip
def test_only_origins_may_embed(origin: str) -> None:
    with pytest.raises(SpecError, match=r"embed\.0"):
        parse(f'{SPEC}embed: ["{origin}"]\n')
    parse(f"{SPEC}embed: [https://shop.example.com, 'http://localhost:8080']\n")


def test_the_other_colour_is_found_where_one_is_given() -> None:
    assert worst(readable("#ffee00", LIGHT), LIGHT) >= 4.5
    assert readable("#0b6b4f", LIGHT) == "#0b6b4f"
    rules = style(Look(accent="#0b6b4f"))
    assert "--accent: #0b6b4f; --mark: #0b6b4f; --on-accent: #ffffff" in rules
    dark = rules.partition("dark) { :root { --accent: ")[2][:7]
    assert worst(dark, DARK) >= 4.5
    assert style(Look()) == ""


def test_a_logo_is_a_picture_of_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "logo.png").write_bytes(PNG)
    assert read(Look(logo="logo.png"), project).logo.startswith("data:image/png;base64,iVBOR")
    (project / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    assert read(Look(logo="logo.svg"), project).logo.startswith("data:image/svg+xml;base64,")
    (tmp_path / "other.png").write_bytes(PNG)
    (project / "link.png").symlink_to(tmp_path / "other.png")
    (project / "text.png").write_text("<html>", encoding="utf-8")
    (project / "large.png").write_bytes(PNG + bytes(200 * 1024))
    for name, says in (
        ("none.png", "inside"),
        ("link.png", "inside"),
        ("text.png", "a picture"),
        ("large.png", "most"),
    ):
        with pytest.raises(SpecError, match=f"look.logo is '{name}'.*{says}"):
            read(Look(logo=name), project)
