"""What a page of a PDF is made of: words with their places, ruled lines, pictures; what nobody sees is counted.

Places are in points from the upper left corner of the page as it is shown: (left, top, right, bottom), y downwards.
A word is hidden when it is drawn invisibly or fully transparent, in the colour of what lies below it, smaller than
`TINY` points, off the page, under something that was drawn later, or leaves no trace on the rendered page (which
also finds layers that are off, and what is clipped away).
"""

import ctypes
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from windlass.sources.documents.grounds import WHITE, Colour, is_alike

TINY = 2.6
"""Points from the lowest to the highest part of a line: no one reads less without a glass."""
FAINT = 20
"""Of 255: no one sees what is less opaque."""
NO_INK = 3.0
"""Variance of grey (0-255) inside the box of a letter below which it left no trace."""
LEAST_RUN = 4
INVISIBLE_MODES = (3, 7)
"""Text render modes: neither filled nor stroked; clip only. Source: ISO 32000-1, table 106."""
TEXT, PATH, IMAGE, SHADING = 1, 2, 3, 4
FORM_DEPTH = 6
MOST_OBJECTS, MOST_LETTERS, MOST_POINTS = 200_000, 300_000, 200_000
"""Of a page."""
RENDERED_SCALE, RENDERED_PIXELS = 0.6, 1_000_000
"""Pixels a point, and in all: enough to see whether there is ink."""
THIN = 2.5
"""Points: a filled box that is no thicker is a ruled line."""
SLANT = 0.1
OPAQUE = 250
LATIN = 0x0530
"""Characters below this are drawn by fonts that pdfium brings along; others may have no font here."""

Box = tuple[float, float, float, float]


class Letter(NamedTuple):
    character: str
    left: float
    top: float
    right: float
    bottom: float
    style: int  # which text object


@dataclass(frozen=True)
class Word:
    """Letters without a gap. size: points, of its font. text: '' = hidden letters, whose place is taken: no gap of a
    table is there."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    is_bold: bool = False

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Ruling:
    """A straight line: at `at` across, from `start` to `end` along."""

    at: float
    start: float
    end: float


@dataclass
class PageMarks:
    """width, height: points. pictures: boxes of images. n_slanted: letters that are not written level, not read."""

    width: float
    height: float
    words: list[Word] = field(default_factory=list)
    across: list[Ruling] = field(default_factory=list)
    upright: list[Ruling] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)
    hidden: Counter[str] = field(default_factory=Counter)
    n_slanted: int = 0
    is_cut: bool = False

    @property
    def picture_share(self) -> float:
        """Of the page, by the largest image."""
        area = max(self.width * self.height, 1.0)
        return max((max(0.0, x1 - x0) * max(0.0, y1 - y0) / area for x0, y0, x1, y1 in self.pictures), default=0.0)


@dataclass(frozen=True)
class _Style:
    """Of a text object. order: how many objects were drawn before it; -1 = it is not known."""

    order: int
    size: float
    is_bold: bool
    colour: tuple[int, int, int, int]
    is_invisible: bool
    is_slanted: bool
    has_font: bool


@dataclass(frozen=True)
class _Filled:
    order: int
    box: Box
    colour: Colour | None  # None: a picture or shading
    alpha: int


class _Drawing:
    """What is drawn on a page beside letters."""

    def __init__(self, page: Any, believes_layers: bool) -> None:
        import pypdfium2.raw as pdfium

        self.pdfium = pdfium
        self.page = page
        self.believes_layers = believes_layers
        self.turn = page.get_rotation()
        self.box = page.get_cropbox()
        width, height = page.get_size()
        self.marks = PageMarks(width, height)
        self.orders: dict[int | None, int] = {}
        self.filled: list[_Filled] = []

    def _placed(self, left: float, low: float, right: float, high: float) -> Box:
        """A box of the page's own space, as it is shown."""
        x0, y0, x1, y1 = self.box
        if self.turn == 90:
            return low - y0, left - x0, high - y0, right - x0
        if self.turn == 180:
            return x1 - right, low - y0, x1 - left, high - y0
        if self.turn == 270:
            return y1 - high, x1 - right, y1 - low, x1 - left
        return left - x0, y1 - high, right - x0, y1 - low

    def _objects(self) -> None:
        n_points = 0
        for order, item in enumerate(self.page.get_objects(max_depth=FORM_DEPTH)):
            if order >= MOST_OBJECTS or n_points > MOST_POINTS:
                self.marks.is_cut = True
                return
            if item.type == TEXT:
                self.orders[_address(item.raw)] = order
            elif item.type in (IMAGE, SHADING):
                box = self._placed(*item.get_bounds())
                self.filled.append(_Filled(order, box, None, 255))
                if item.type == IMAGE:
                    self.marks.pictures.append(box)
            elif item.type == PATH:
                n_points += self._path(order, item)

    def _path(self, order: int, item: Any) -> int:
        """Takes in what is straight of a path; gives how many points it has."""
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        self.pdfium.FPDFPath_GetDrawMode(item.raw, fill, stroke)
        n_points = self.pdfium.FPDFPath_CountSegments(item.raw)
        box = self._placed(*item.get_bounds())
        colour = self._colour(item.raw)
        if fill.value and n_points <= 6 and colour[3] > 0:
            self.filled.append(_Filled(order, box, colour[:3], colour[3]))
        if fill.value and not stroke.value and min(box[2] - box[0], box[3] - box[1]) > THIN:
            return 1
        if min(box[2] - box[0], box[3] - box[1]) <= THIN:
            self._ruled(box)
            return 1
        for one, other in self._straight(item, min(n_points, MOST_POINTS)):
            self._ruled((min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1])))
        return int(n_points)

    def _ruled(self, box: Box) -> None:
        left, top, right, bottom = box
        if bottom - top <= THIN and right - left > THIN:
            self.marks.across.append(Ruling((top + bottom) / 2, left, right))
        elif right - left <= THIN and bottom - top > THIN:
            self.marks.upright.append(Ruling((left + right) / 2, top, bottom))

    def _straight(self, item: Any, n_points: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """The straight strokes of a path, placed."""
        found = []
        matrix = item.get_matrix()
        x, y = ctypes.c_float(), ctypes.c_float()
        first = last = (0.0, 0.0)
        for number in range(n_points):
            segment = self.pdfium.FPDFPath_GetPathSegment(item.raw, number)
            self.pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            px, py = matrix.on_point(x.value, y.value)
            here = self._placed(px, py, px, py)[:2]
            kind = self.pdfium.FPDFPathSegment_GetType(segment)
            if kind == self.pdfium.FPDF_SEGMENT_MOVETO:
                first = here
            elif kind == self.pdfium.FPDF_SEGMENT_LINETO:
                found.append((last, here))
            if self.pdfium.FPDFPathSegment_GetClose(segment):
                found.append((here, first))
            last = here
        return found

    def _colour(self, item: Any) -> tuple[int, int, int, int]:
        parts = [ctypes.c_uint() for _ in range(4)]
        if not self.pdfium.FPDFPageObj_GetFillColor(item, *parts):
            return 0, 0, 0, 255
        red, green, blue, alpha = (part.value for part in parts)
        return red, green, blue, alpha


class PageReader(_Drawing):
    """Reads one page of an open pypdfium2 document. Raises: PdfiumError."""

    def __init__(self, page: Any, believes_layers: bool) -> None:
        super().__init__(page, believes_layers)
        self.styles: list[_Style] = []
        self.style_of: dict[int | None, int] = {}

    def read(self) -> PageMarks:
        self._objects()
        letters = self._letters()
        if letters:
            self.marks.words = self._words(self._seen(letters))
        return self.marks

    def _letters(self) -> list[Letter]:
        text = self.page.get_textpage()
        pdfium, raw = self.pdfium, text.raw
        n_letters = text.count_chars()
        self.marks.is_cut |= n_letters > MOST_LETTERS
        box = pdfium.FS_RECTF()
        found = []
        high = 0  # the first half of a character beyond 0xFFFF
        for number in range(min(n_letters, MOST_LETTERS)):
            code = pdfium.FPDFText_GetUnicode(raw, number)
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000 and high:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
            if code in (0, 0xFFFE, 0xFFFF) or code > 0x10FFFF or 0xD800 <= code < 0xE000:
                if code == 0xFFFE or code == 2:  # pdfium's mark for a hyphen at the end of a line
                    code = 0x2D
                else:
                    continue
            if code == 2:
                code = 0x2D
            if not pdfium.FPDFText_GetLooseCharBox(raw, number, box):
                continue
            style = self._style(pdfium.FPDFText_GetTextObject(raw, number))
            found.append(Letter(chr(code), *self._placed(box.left, box.bottom, box.right, box.top), style))
        return found

    def _style(self, item: Any) -> int:
        address = _address(item)
        if address not in self.style_of:
            self.style_of[address] = len(self.styles)
            self.styles.append(self._new_style(item, address))
        return self.style_of[address]

    def _new_style(self, item: Any, address: int | None) -> _Style:
        if address is None:
            return _Style(-1, 0.0, False, (0, 0, 0, 255), False, False, False)
        pdfium = self.pdfium
        matrix, size = pdfium.FS_MATRIX(), ctypes.c_float()
        pdfium.FPDFPageObj_GetMatrix(item, matrix)
        pdfium.FPDFTextObj_GetFontSize(item, size)
        along, aside = (matrix.a, matrix.b) if self.turn in (0, 180) else (matrix.b, matrix.a)
        font = pdfium.FPDFTextObj_GetFont(item)
        name = self._font_name(font)
        is_bold = "bold" in name or "black" in name or "heavy" in name or pdfium.FPDFFont_GetWeight(font) >= 600
        colour = self._colour(item)
        is_invisible = pdfium.FPDFTextObj_GetTextRenderMode(item) in INVISIBLE_MODES or colour[3] <= FAINT
        return _Style(
            self.orders.get(address, -1),
            abs(size.value) * max(abs(matrix.d), abs(matrix.c)),
            is_bold,
            colour,
            is_invisible,
            abs(aside) > SLANT * abs(along),
            pdfium.FPDFFont_GetIsEmbedded(font) == 1,
        )

    def _font_name(self, font: Any) -> str:
        name = ctypes.create_string_buffer(128)
        self.pdfium.FPDFFont_GetBaseFontName(font, name, 128)
        return name.value.decode("utf-8", "replace").lower()

    def _seen(self, letters: list[Letter]) -> list[Letter]:
        """The letters that somebody sees; the others are counted by the reason."""
        boxes = np.array([letter[1:5] for letter in letters], np.float64)
        reasons = [""] * len(letters)
        is_space = np.array([letter.character.isspace() for letter in letters])
        without_ink = _in_runs(self._without_ink(boxes), is_space)
        backgrounds: dict[int, list[_Filled]] = {}
        for number, letter in enumerate(letters):
            if not is_space[number]:
                reasons[number] = self._why_hidden(letter, bool(without_ink[number]), backgrounds)
        if self.believes_layers and self.marks.picture_share > 0.5:
            reasons = ["" if reason in ("invisible", "covered", "without a trace") else reason for reason in reasons]
        kept = []
        before = ""
        for number, letter in enumerate(letters):
            reason = before if is_space[number] else reasons[number]
            before = reason
            if reason and not is_space[number]:
                self.marks.hidden[reason] += 1
            if not reason:
                kept.append(letter)
            elif reason != "off the page" and not is_space[number]:
                kept.append(letter._replace(character=""))
        return kept

    def _why_hidden(self, letter: Letter, no_ink: bool, backgrounds: dict[int, list[_Filled]]) -> str:
        style = self.styles[letter.style]
        x, y = (letter.left + letter.right) / 2, (letter.top + letter.bottom) / 2
        if not (0 <= x <= self.marks.width and 0 <= y <= self.marks.height):
            return "off the page"
        if letter.bottom - letter.top < TINY and letter.right - letter.left < TINY:
            return "tiny"
        if style.is_invisible:
            return "invisible"
        colour: Colour | None = WHITE
        for area in self.filled:
            left, top, right, bottom = area.box
            if not (left <= x <= right and top <= y <= bottom) or style.order < 0:
                continue
            if area.order > style.order:
                if area.alpha >= OPAQUE:
                    return "covered"
            elif area.alpha >= OPAQUE or area.colour is None:
                colour = area.colour
            else:
                colour = None  # shines through: only the rendered page tells
        if is_alike(colour, style.colour[:3]):
            return "in the colour of its ground"
        can_tell = style.has_font or ord(letter.character) < LATIN
        return "without a trace" if no_ink and can_tell else ""

    def _without_ink(self, boxes: np.ndarray) -> np.ndarray:
        """True where the rendered page has one colour inside the box, (n,)."""
        scale = min(RENDERED_SCALE, (RENDERED_PIXELS / max(self.marks.width * self.marks.height, 1.0)) ** 0.5)
        bitmap = self.page.render(scale=scale, grayscale=True, may_draw_forms=False, draw_annots=False)
        grey = bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width].astype(np.int64)
        sums = [np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0))) for values in (grey, grey * grey)]
        x0, y0 = (np.floor(boxes[:, place] * scale).clip(0).astype(int) for place in (0, 1))
        x1, y1 = (np.ceil(boxes[:, place] * scale).clip(0).astype(int) for place in (2, 3))
        x0, x1 = (x0 - 1).clip(0, bitmap.width), (x1 + 1).clip(0, bitmap.width)  # a thin letter may be drawn beside it
        y0, y1 = y0.clip(0, bitmap.height), y1.clip(0, bitmap.height)
        area = ((x1 - x0) * (y1 - y0)).clip(1)
        mean, squares = ((part[y1, x1] - part[y0, x1] - part[y1, x0] + part[y0, x0]) / area for part in sums)
        return squares - mean * mean < NO_INK

    def _words(self, letters: list[Letter]) -> list[Word]:
        words: list[Word] = []
        part: list[Letter] = []
        for letter in letters:
            style = self.styles[letter.style]
            if style.is_slanted:
                self.marks.n_slanted += not letter.character.isspace()
                continue
            is_other = part and (not letter.character) != (not part[-1].character)
            if letter.character.isspace() or is_other or (part and not self._goes_on(part[-1], letter)):
                words += self._word(part)
                part = []
            if not letter.character.isspace():
                part.append(letter)
        return words + self._word(part)

    def _goes_on(self, one: Letter, other: Letter) -> bool:
        height = max(min(one.bottom - one.top, other.bottom - other.top), 1.0)
        is_level = abs((one.top + one.bottom) - (other.top + other.bottom)) / 2 < 0.4 * height
        return is_level and -0.5 * height < other.left - one.right < 0.18 * height

    def _word(self, letters: list[Letter]) -> list[Word]:
        if not letters:
            return []
        style = self.styles[letters[0].style]
        text = "".join(letter.character for letter in letters)
        left, right = min(each.left for each in letters), max(each.right for each in letters)
        top, bottom = min(each.top for each in letters), max(each.bottom for each in letters)
        return [Word(text, left, top, right, bottom, style.size or bottom - top, style.is_bold or not text)]


def _in_runs(flags: np.ndarray, is_space: np.ndarray) -> np.ndarray:
    """The flags, without those of fewer than `LEAST_RUN` letters in a row: a thin one may be drawn beside its box.
    A space neither ends nor lengthens a run."""
    found = np.zeros(len(flags), bool)
    run: list[int] = []
    for number in range(len(flags) + 1):
        if number < len(flags) and (flags[number] or is_space[number]):
            run += [] if is_space[number] else [number]
            continue
        if len(run) >= LEAST_RUN:
            found[run] = True
        run = []
    return found


def _address(item: Any) -> int | None:
    return ctypes.cast(item, ctypes.c_void_p).value
