"""PDF and DOCX files that tests write: a PDF by hand, a few lines of its language a page."""

from pathlib import Path

WIDTH, HEIGHT = 595, 842
MAPPED = (
    "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [<< /Type /Font "
    "/Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2"
    " >> /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [0 -200 1000 900] "
    "/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >> /DW 1000 >>] >>"
)
"""A Chinese font that no file brings along: its characters are told by their code."""


def text(
    x: float, y: float, words: str, size: float = 10, font: str = "F1", colour: str = "0 0 0", mode: int = 0
) -> str:
    """Words at a place, y from the top. font: F1 plain, F2 bold, F3 Chinese."""
    shown = (
        f"<{words.encode('utf-16-be').hex()}>"
        if font == "F3"
        else "(" + words.replace("(", r"\(").replace(")", r"\)") + ")"
    )
    return f"BT /{font} {size} Tf {mode} Tr {colour} rg 1 0 0 1 {x} {HEIGHT - y} Tm {shown} Tj ET\n"


def line(x0: float, y0: float, x1: float, y1: float) -> str:
    return f"0.5 w {x0} {HEIGHT - y0} m {x1} {HEIGHT - y1} l S\n"


def box(x0: float, y0: float, x1: float, y1: float, colour: str) -> str:
    return f"{colour} rg {x0} {HEIGHT - y1} {x1 - x0} {y1 - y0} re f\n"


def grid(xs: list[float], ys: list[float], rows: list[list[str]], font: str = "F1") -> str:
    """A table with all its lines."""
    lines = [line(xs[0], y, xs[-1], y) for y in ys] + [line(x, ys[0], x, ys[-1]) for x in xs]
    cells = [
        text(xs[column] + 4, ys[row] + 13, cell, font=font if cell.isascii() else "F3")
        for row, cells in enumerate(rows) for column, cell in enumerate(cells) if cell
    ]  # fmt: skip
    return "".join(lines + cells)


def pdf(
    path: Path,
    pages: list[str],
    title: str = "",
    also: str = "",
    resources: str = "",
    extra: tuple[bytes, ...] = (),
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """also: entries of the trailer. resources: entries of each page's. extra: objects from number 7 on."""
    plain = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects += [plain.format(name).encode() for name in ("Helvetica", "Helvetica-Bold")]
    objects += [MAPPED.encode(), f"<< /Title ({title}) >>".encode(), *extra]
    kids = []
    for content in pages:
        stream = content.encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        fonts = "/Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents {len(objects)} 0 R "
            f"/Resources << {fonts} {resources} >> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 6 0 R {also} >>"
    out += f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(bytes(out))
    return path


PICTURE = (
    b"<< /Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 4 >>\n"
    b"stream\n\x10\x80\xf0\x40\nendstream"
)


def scan(path: Path, layer: str = "") -> Path:
    """A page that is a picture, with words behind it that nobody sees."""
    shown = f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /I Do Q\n"
    return pdf(path, [shown + layer], resources="/XObject << /I 7 0 R >>", extra=(PICTURE,))
