"""Draws the sample data of the shop-images blueprint: small product photos of six classes.

Source: drawn for this project with Pillow, Apache-2.0.
"""

import colorsys
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/shop-images/data"
SIDE = 48
CANVAS = 192  # drawn four times as large, then reduced, so that edges are soft
N_PER_CLASS = {"bag": 110, "chair": 100, "lamp": 90, "mug": 120, "shoe": 115, "t-shirt": 105}
N_COLOURS = 32  # colours a picture is reduced to, which keeps the files small

Colour = tuple[int, int, int]
Point = tuple[float, float]
Draw = Callable[[ImageDraw.ImageDraw, Colour, np.random.Generator], None]


def colour(rng: np.random.Generator, light: tuple[float, float] = (0.12, 0.62), strong: float = 0.9) -> Colour:
    """A random colour; a fifth of them are greys, since much of what shops sell is black or grey."""
    saturation = 0.05 if rng.random() < 0.2 else rng.uniform(0.1, strong)
    red, green, blue = colorsys.hls_to_rgb(rng.random(), rng.uniform(*light), saturation)
    return int(red * 255), int(green * 255), int(blue * 255)


def shade(base: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or lighter (factor > 1)."""
    red, green, blue = (max(0, min(255, int(part * factor))) for part in base)
    return red, green, blue


def box(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    """The corners of a rectangle, given in any order."""
    return [(min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))]


def draw_mug(pen: ImageDraw.ImageDraw, main: Colour, rng: np.random.Generator) -> None:
    """A cup with one handle, some with a band or a dot on it."""
    half, top, low = rng.uniform(26, 40), rng.uniform(48, 70), rng.uniform(128, 148)
    taper, thick = rng.uniform(0, 10), int(rng.uniform(7, 12))
    pen.ellipse(
        box(96 + half - 16, top + 16, 96 + half + rng.uniform(20, 32), low - 18), outline=shade(main, 0.85), width=thick
    )
    pen.polygon([(96 - half, top), (96 + half, top), (96 + half - taper, low), (96 - half + taper, low)], fill=main)
    pen.ellipse(box(96 - half + taper, low - 7, 96 + half - taper, low + 7), fill=main)
    pen.ellipse(box(96 - half, top - 9, 96 + half, top + 9), fill=shade(main, 1.25))
    pen.ellipse(box(96 - half + 5, top - 5, 96 + half - 5, top + 7), fill=shade(main, 0.4))
    extra = rng.random()
    if extra < 0.3:
        pen.rectangle(box(96 - half + taper, 92, 96 + half - taper, 106), fill=colour(rng))
    elif extra < 0.5:
        pen.ellipse(box(84, 88, 108, 112), fill=colour(rng))


def draw_shirt(pen: ImageDraw.ImageDraw, main: Colour, rng: np.random.Generator) -> None:
    """A shirt lying flat, short or longer sleeves, some with stripes or a print."""
    half, reach, drop = rng.uniform(26, 36), rng.uniform(22, 38), rng.uniform(24, 56)
    low, neck = rng.uniform(138, 156), rng.uniform(10, 15)
    outline = [
        (96 - neck, 44), (96 - half, 50), (96 - half - reach, 50 + drop), (96 - half - reach + 18, 62 + drop),
        (96 - half, 86), (96 - half - 2, low), (96 + half + 2, low), (96 + half, 86),
        (96 + half + reach - 18, 62 + drop), (96 + half + reach, 50 + drop), (96 + half, 50), (96 + neck, 44),
    ]  # fmt: skip
    pen.polygon(outline, fill=main)
    pen.pieslice(box(96 - neck, 34, 96 + neck, 56), 0, 180, fill=shade(main, 0.55))
    extra = rng.random()
    if extra < 0.3:
        second = colour(rng)
        for height in range(72, int(low) - 8, 22):
            pen.rectangle(box(96 - half + 1, height, 96 + half - 1, height + 8), fill=second)
    elif extra < 0.55:
        pen.rounded_rectangle(box(82, 78, 110, 104), radius=8, fill=colour(rng))


def draw_shoe(pen: ImageDraw.ImageDraw, main: Colour, rng: np.random.Generator) -> None:
    """A shoe or a short boot from the side, with sole and laces."""
    ankle, toe, heel = rng.uniform(58, 92), rng.uniform(100, 116), rng.uniform(2, 16)
    left, right = rng.uniform(36, 46), rng.uniform(146, 160)
    upper = [
        (left, ankle), (left + 34, ankle), (left + 50, toe - 16), (right - 30, toe - 4),
        (right - 6, toe + 10), (right, 130), (left - 2, 130),
    ]  # fmt: skip
    pen.polygon(upper, fill=main)
    pen.ellipse(box(right - 38, toe - 4, right + 3, 148), fill=main)
    sole = colour(rng, (0.1, 0.95))
    pen.rounded_rectangle(box(left - 5, 127, right + 5, 138), radius=5, fill=sole)
    pen.rectangle(box(left - 5, 132, left + 26, 138 + heel), fill=sole)
    lace = colour(rng, (0.7, 0.95))
    for step in range(int(rng.integers(0, 4))):
        x, y = left + 40 + step * 13, ankle + 14 + (toe - ankle) * (0.35 + 0.2 * step)
        pen.line([(x - 6, y - 7), (x + 8, y + 3)], fill=lace, width=5)


def draw_lamp(pen: ImageDraw.ImageDraw, main: Colour, rng: np.random.Generator) -> None:
    """A lamp on a foot: straight stem with a shade, or a bent arm."""
    metal, glow = colour(rng, (0.15, 0.6)), rng.random() < 0.4
    foot, low = rng.uniform(20, 36), rng.uniform(146, 158)
    pen.ellipse(box(96 - foot, low - 7, 96 + foot, low + 7), fill=metal)
    bent = rng.random() < 0.35
    hat_x, hat_y = (96 + rng.uniform(18, 36), rng.uniform(56, 70)) if bent else (96.0, rng.uniform(52, 72))
    stem = [(96, low), (96 - rng.uniform(12, 30), 104), (hat_x, hat_y)] if bent else [(96, low), (96, hat_y)]
    pen.line(stem, fill=metal, width=int(rng.uniform(5, 9)), joint="curve")
    top, wide, tall = rng.uniform(10, 22), rng.uniform(30, 46), rng.uniform(30, 46)
    if glow:
        pen.ellipse(box(hat_x - 14, hat_y + tall / 2 - 14, hat_x + 14, hat_y + tall / 2 + 14), fill=(255, 240, 170))
    cone = [(hat_x - top, hat_y - tall / 2), (hat_x + top, hat_y - tall / 2)]
    pen.polygon([*cone, (hat_x + wide, hat_y + tall / 2), (hat_x - wide, hat_y + tall / 2)], fill=main)
    pen.line([(hat_x - wide, hat_y + tall / 2), (hat_x + wide, hat_y + tall / 2)], fill=shade(main, 0.7), width=4)


def draw_bag(pen: ImageDraw.ImageDraw, main: Colour, rng: np.random.Generator) -> None:
    """A handbag or shopper with a handle, some with a flap and a buckle."""
    top_half, low_half = rng.uniform(28, 44), rng.uniform(34, 50)
    top, low = rng.uniform(76, 94), rng.uniform(136, 154)
    grip, rise, thick = rng.uniform(14, 26), rng.uniform(24, 46), int(rng.uniform(6, 11))
    pen.arc(box(96 - grip, top - rise, 96 + grip, top + rise), 180, 360, fill=shade(main, 0.6), width=thick)
    pen.polygon([(96 - top_half, top), (96 + top_half, top), (96 + low_half, low), (96 - low_half, low)], fill=main)
    if rng.random() < 0.5:
        pen.pieslice(box(96 - top_half, top - 34, 96 + top_half, top + 34), 0, 180, fill=shade(main, 0.75))
        pen.rectangle(box(91, top + 26, 101, top + 38), fill=(214, 180, 90))
    elif rng.random() < 0.5:
        pen.line([(96 - top_half, top + 8), (96 + top_half, top + 8)], fill=shade(main, 0.55), width=4)
        pen.rectangle(box(80, 108, 112, 122), fill=colour(rng))


def draw_chair(pen: ImageDraw.ImageDraw, main: Colour, rng: np.random.Generator) -> None:
    """A chair seen a little from the side: back, seat and legs, or one leg with a star foot."""
    wood = colour(rng, (0.2, 0.6))
    left, right = rng.uniform(54, 66), rng.uniform(122, 138)
    top, seat, low = rng.uniform(32, 48), rng.uniform(98, 108), rng.uniform(150, 162)
    lean, thick = rng.uniform(-8, 4), int(rng.uniform(6, 10))
    if rng.random() < 0.3:
        pen.line([((left + right) / 2, seat), ((left + right) / 2, low - 8)], fill=wood, width=thick)
        for foot in (left + 8, (left + right) / 2, right - 8):
            pen.line([((left + right) / 2, low - 12), (foot, low)], fill=wood, width=thick)
    else:
        for x, out in ((left + 4, -4), (right - 6, 6), (left + 22, 0), (right - 24, 2)):
            pen.line([(x, seat), (x + out, low)], fill=wood, width=thick)
    if rng.random() < 0.5:
        pen.polygon([(left + lean, top), (left + lean + 24, top - 4), (left + 22, seat), (left, seat)], fill=main)
    else:
        pen.rounded_rectangle(box(left + 4, top, right - 8, seat - 14), radius=10, fill=shade(main, 0.85))
        pen.line([(left + 8, seat - 16), (left + 8, seat)], fill=wood, width=thick)
        pen.line([(right - 12, seat - 16), (right - 12, seat)], fill=wood, width=thick)
    pen.polygon([(left, seat - 4), (right - 6, seat - 6), (right + 6, seat + 8), (left + 4, seat + 9)], fill=main)


DRAWINGS: dict[str, Draw] = {
    "bag": draw_bag, "chair": draw_chair, "lamp": draw_lamp,
    "mug": draw_mug, "shoe": draw_shoe, "t-shirt": draw_shirt,
}  # fmt: skip


def backdrop(rng: np.random.Generator) -> Image.Image:
    """What stands behind a product: mostly a light studio, else a table, a cloth or a dark corner."""
    kind = rng.random()
    wall = colour(rng, (0.2, 0.5) if kind > 0.93 else (0.8, 0.98), 0.45)
    picture = Image.new("RGB", (CANVAS, CANVAS), wall)
    pen = ImageDraw.Draw(picture)
    if kind < 0.35:
        ramp = np.linspace(1, rng.uniform(0.8, 1.05), CANVAS)[:, None, None]
        rows = np.broadcast_to(np.array(wall) * ramp, (CANVAS, CANVAS, 3))
        return Image.fromarray(np.clip(rows, 0, 255).astype(np.uint8))
    if 0.6 < kind < 0.82:
        pen.rectangle(box(0, rng.uniform(125, 165), CANVAS, CANVAS), fill=colour(rng, (0.6, 0.9), 0.5))
    elif 0.82 < kind < 0.9:
        second, step = colour(rng, (0.6, 0.9), 0.5), int(rng.integers(18, 44))
        for x in range(0, CANVAS, step):
            pen.rectangle(box(x, 0, x + step // 3, CANVAS), fill=second)
    return picture


def add_clutter(picture: Image.Image, rng: np.random.Generator) -> None:
    """Things that stand in the way: a hand's width of something at the edge, a price tag, a shadow."""
    pen = ImageDraw.Draw(picture)
    if rng.random() < 0.25:
        x, y, width = rng.uniform(0, CANVAS), rng.uniform(0, CANVAS), rng.uniform(22, 50)
        pen.ellipse(box(x, y, x + width, y + rng.uniform(22, 50)), fill=colour(rng))
    if rng.random() < 0.18:
        x, y = rng.uniform(50, 130), rng.uniform(60, 140)
        pen.rectangle(box(x, y, x + 26, y + 15), fill=(245, 240, 225), outline=(90, 90, 90))
    if rng.random() < 0.1:
        edge = rng.uniform(12, 34)
        across = rng.random() < 0.5
        strip = box(0, CANVAS - edge, CANVAS, CANVAS) if across else box(0, 0, edge, CANVAS)
        pen.rectangle(strip, fill=colour(rng))


def place(product: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The product turned, scaled, leaned, mirrored and moved, as hasty photos show it."""
    if rng.random() < 0.3:
        product = product.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    angle = math.radians(float(np.clip(rng.normal(0, 6), -24, 24)))
    scale, lean = rng.uniform(0.84, 1.22), rng.uniform(-0.08, 0.08)
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    x, y = 96 + rng.normal(0, 7), 96 + rng.normal(0, 6)
    matrix = (cos, sin + lean, 98 - cos * x - (sin + lean) * y, -sin, cos, 98 + sin * x - cos * y)
    return product.transform((CANVAS, CANVAS), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def photograph(draw: Draw, rng: np.random.Generator) -> Image.Image:
    """One finished picture of 48 by 48 pixels."""
    product = Image.new("RGBA", (CANVAS, CANVAS), (0, 0, 0, 0))
    draw(ImageDraw.Draw(product), colour(rng), rng)
    product = place(product, rng)
    picture = backdrop(rng)
    shadow = product.getchannel("A").filter(ImageFilter.GaussianBlur(6)).point(lambda alpha: alpha * 0.35)
    picture.paste((20, 20, 25), (int(rng.integers(-8, 9)), int(rng.integers(3, 9))), shadow)
    picture.paste(product, (0, 0), product)
    add_clutter(picture, rng)
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(1, 4)))
    pixels = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=float)
    slope = rng.uniform(-0.12, 0.12) * np.linspace(-1, 1, SIDE)[None, :, None]
    pixels = pixels * (rng.uniform(0.78, 1.12) + slope) + rng.normal(0, rng.uniform(0.5, 5), pixels.shape)
    small = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return small.quantize(N_COLOURS, dither=Image.Dither.NONE).convert("RGB")


def main(target: Path = TARGET) -> None:
    """Write every picture and say how many and how large."""
    rng = np.random.default_rng(SEED)
    shutil.rmtree(target, ignore_errors=True)
    size_bytes = 0
    for label, n in N_PER_CLASS.items():
        folder = target / label
        folder.mkdir(parents=True)
        for number in range(n):
            path = folder / f"{number:03}.png"
            photograph(DRAWINGS[label], rng).save(path, optimize=True)
            size_bytes += path.stat().st_size
    n_pictures = sum(N_PER_CLASS.values())
    print(f"{target}: {n_pictures} pictures, {len(N_PER_CLASS)} classes, {size_bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
