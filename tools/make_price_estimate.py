"""Draws the sample data of the price-estimate blueprint: offers of used furniture whose fair price is known.

Source: invented for this project, Apache-2.0; brands, people and offers are made up.
"""

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/price-estimate/data"
N_OFFERS, CHINESE_SHARE = 800, 0.4
SIDE = 32  # pixels
NOISE = 0.1  # standard deviation of ln price that nothing explains
ITEMS = {"chair": (85, 50), "shelf": (110, 90), "table": (150, 130), "sofa": (190, 190)}  # EUR, usual width in cm
AGE_EFFECT, WIDTH_EFFECT, WEAR_EFFECT = -0.045, 0.7, -0.9  # ln price a year, a ln width, of wear from 0 to 1
BRANDS = {"Hansen": 0.45, "Norrwood": 0.2, "Kite": 0.0, "": -0.15, "BoxHome": -0.35}
MATERIALS = {"solid": 0.28, "ply": 0.0, "chip": -0.25}
FLAWS = {"": 0.06, "wobbles": -0.22, "smoke": -0.18, "parts": -0.4}
FLAW_SHARES = (0.55, 0.15, 0.15, 0.15)
FINISHES = {"walnut": 0.22, "oak": 0.08, "white": -0.02, "black": 0.0, "pine": -0.2}
COLOURS = {
    "walnut": (92, 64, 44), "oak": (186, 148, 98), "white": (238, 238, 232), "black": (38, 38, 42),
    "pine": (226, 196, 110),
}  # fmt: skip
WALL, FLOOR, STAIN = (214, 220, 226), (170, 176, 182), (186, 58, 48)
N_STAINS = 14  # on what is worn out

NAMES = {
    "en": {
        "chair": ("chair", "armchair"), "shelf": ("shelf", "bookcase"), "table": ("table", "dining table"),
        "sofa": ("sofa", "couch"),
    },
    "zh": {
        "chair": ("椅子", "扶手椅"), "shelf": ("书架", "置物架"), "table": ("桌子", "餐桌"),
        "sofa": ("沙发", "布艺沙发"),
    },
}  # fmt: skip
BRAND_NAMES = {
    "en": {"Hansen": "Hansen", "Norrwood": "Norrwood", "Kite": "Kite", "": "", "BoxHome": "BoxHome"},
    "zh": {"Hansen": "汉森", "Norrwood": "诺木", "Kite": "风筝", "": "", "BoxHome": "盒家"},
}
MADE_OF = {
    "en": {"solid": ("solid wood", "massive wood"), "ply": ("plywood", "bentwood"),
           "chip": ("chipboard", "particle board")},
    "zh": {"solid": ("实木", "全实木"), "ply": ("多层板", "曲木"), "chip": ("刨花板", "颗粒板")},
}  # fmt: skip
FLAW_WORDS = {
    "en": {
        "": ("Everything works as it should.", "Nothing is broken.", "Stands firm, nothing is missing."),
        "wobbles": ("One leg wobbles a bit.", "It wobbles on hard floors.", "Slightly wobbly, a leg is loose."),
        "smoke": ("We are smokers, you can smell it.", "Smells of smoke.", "It has a smoky smell."),
        "parts": ("Two screws and a board are missing.", "Not complete, some parts are lost.", "A part broke off."),
    },
    "zh": {
        "": ("功能一切正常。", "没有损坏。", "很稳，配件齐全。"),
        "wobbles": ("有一条腿有点晃。", "放在硬地上会晃。", "有点不稳，腿松了。"),
        "smoke": ("家里有人抽烟，有烟味。", "带烟味。", "能闻到烟味。"),
        "parts": ("缺两颗螺丝和一块板。", "配件不全。", "有一处断了。"),
    },
}
REMARKS = {  # say nothing of the price
    "en": (
        "Pick-up only.", "We are moving abroad.", "It stood in the guest room.", "Cash please.",
        "Third floor, no lift.", "Call after six.", "I can help to carry it.", "It was a present.",
        "First come, first served.",
    ),
    "zh": (
        "只限自提。", "要出国，搬家。", "一直放在客房。", "请付现金。",
        "三楼，没有电梯。", "六点后联系。", "可以帮忙搬。", "是别人送的。",
    ),
}  # fmt: skip
SOURCES = ("numbers", "text", "photo")


@dataclass(frozen=True)
class World:
    """Offers, one array a column, each (n,); `photos` (n, 32, 32, 3) uint8. `parts` is the truth.

    parts: source -> what it adds to ln price, (n,); their sum is ln of the fair price, the median of what is paid.
    """

    columns: dict[str, np.ndarray]
    photos: np.ndarray
    parts: dict[str, np.ndarray]
    price: np.ndarray  # EUR, whole

    @property
    def fair_price(self) -> np.ndarray:
        """(n,) EUR: what is paid is this times e to the noise."""
        return np.exp(sum(self.parts.values()))


def drawn(table: dict[str, float], n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) names of the table, each as likely as the others."""
    return rng.choice(np.array(list(table), dtype=object), n)


def valued(table: dict[str, float], names: np.ndarray) -> np.ndarray:
    """(n,) what the table says of each name."""
    return np.array([table[name] for name in names])


def wording(offer: dict[str, str], rng: np.random.Generator) -> tuple[str, str]:
    """Title and description in one of two languages."""
    language = "zh" if rng.random() < CHINESE_SHARE else "en"
    name = rng.choice(NAMES[language][offer["item"]])
    material = rng.choice(MADE_OF[language][offer["material"]])
    brand = BRAND_NAMES[language][offer["brand"]]
    remarks = rng.choice(REMARKS[language], 2, replace=False)
    sentences = [str(rng.choice(FLAW_WORDS[language][offer["flaw"]])), *map(str, remarks)]
    sentences = [sentences[place] for place in rng.permutation(len(sentences))]
    if language == "zh":
        return f"{brand}{material}{name}", "".join(sentences)
    title = f"{brand} {name}, {material}" if rng.random() < 0.5 else f"{material} {name} {brand}"
    return title.strip()[0].upper() + title.strip()[1:], " ".join(sentences)


def boxes(item: str, half: float) -> list[tuple[float, float, float, float]]:
    """The furniture as boxes (left, top, right, bottom) in pixels around the middle of the floor."""
    left, right = 16 - half, 16 + half
    feet = [(left + 1, 18, left + 3, 27), (right - 3, 18, right - 1, 27)]
    if item == "chair":
        return [(left, 7, left + 2, 27), (left, 17, right, 20), (right - 2, 20, right, 27), (left, 7, left + 4, 17)]
    if item == "table":
        return [(left, 15, right, 18), *feet]
    if item == "sofa":
        return [(left, 13, right, 20), (left, 17, right, 25), *feet]
    boards = [(left, top, right, top + 2) for top in (5.0, 12.0, 19.0, 25.0)]
    return [(left, 5, left + 2, 27), (right - 2, 5, right, 27), *boards]


def photograph(item: str, width: float, finish: str, wear: float, rng: np.random.Generator) -> np.ndarray:
    """(32, 32, 3) uint8: item, width, finish and the stains of wear, under a light that differs a little."""
    picture = np.empty((SIDE, SIDE, 3))
    picture[:26], picture[26:] = WALL, FLOOR
    is_body = np.zeros((SIDE, SIDE), dtype=bool)
    for left, top, right, bottom in boxes(item, float(np.clip(width / ITEMS[item][1] * 9, 5, 14))):
        is_body[round(top) : round(bottom), round(left) : round(right)] = True
    picture[is_body] = COLOURS[finish]
    corners = np.argwhere(is_body)
    corners = corners[(corners % 2 == 0).all(axis=1)]  # so that no stain lies on another
    for row, column in rng.permutation(corners)[: round(wear * N_STAINS)]:
        spot = np.zeros_like(is_body)
        spot[row : row + 2, column : column + 2] = True
        picture[spot & is_body] = STAIN
    return np.clip(picture * rng.uniform(0.9, 1.08), 0, 255).astype(np.uint8)


def world(seed: int = SEED, n: int = N_OFFERS) -> World:
    """The same world for the same seed."""
    rng = np.random.default_rng(seed)
    item, finish = drawn(ITEMS, n, rng), drawn(FINISHES, n, rng)
    brand, material = drawn(BRANDS, n, rng), drawn(MATERIALS, n, rng)
    flaw = rng.choice(np.array(list(FLAWS), dtype=object), n, p=FLAW_SHARES)
    usual = np.array([ITEMS[name] for name in item], dtype=float)
    age = rng.integers(0, 21, n)
    width = (usual[:, 1] * np.exp(rng.normal(0, 0.22, n))).round()
    wear = np.clip(rng.beta(1.1, 1.6, n) * (0.7 + age / 35), 0, 1)
    wear = np.round(wear * N_STAINS) / N_STAINS  # what the photo shows is all there is
    parts = {
        "numbers": np.log(usual[:, 0]) + AGE_EFFECT * age + WIDTH_EFFECT * np.log(width / usual[:, 1]),
        "text": valued(BRANDS, brand) + valued(MATERIALS, material) + valued(FLAWS, flaw),
        "photo": valued(FINISHES, finish) + WEAR_EFFECT * wear,
    }
    offers = [{"item": item[k], "brand": brand[k], "material": material[k], "flaw": flaw[k]} for k in range(n)]
    texts = np.array([wording(offer, rng) for offer in offers], dtype=object)
    photos = np.array([photograph(item[k], width[k], finish[k], wear[k], rng) for k in range(n)])
    columns = {
        "title": texts[:, 0], "description": texts[:, 1], "item": item, "age_years": age, "width_cm": width.astype(int)
    }  # fmt: skip
    price = np.exp(sum(parts.values()) + rng.normal(0, NOISE, n)).round().astype(int)
    return World(columns, photos, parts, price)


# models: (n,) EUR each; the naive ones learn from the even rows, and all are scored on the odd ones -------------------


def oracle(shop: World) -> np.ndarray:
    """The fair price: nothing but noise is left, and no model does better on average."""
    return shop.fair_price


def without(shop: World, source: str) -> np.ndarray:
    """The oracle, blind for one source, whose mean it knows: what this source is worth."""
    missing = shop.parts[source]
    return np.exp(np.log(shop.fair_price) - missing + missing.mean())


def item_median(shop: World) -> np.ndarray:
    """The naive model: the median price of the same kind of furniture."""
    item, learned = shop.columns["item"], is_learned(shop)
    medians = {name: float(np.median(shop.price[learned & (item == name)])) for name in ITEMS}
    return valued(medians, item)


def numbers_alone(shop: World) -> np.ndarray:
    """A less naive one: least squares of ln price on kind, age and ln width; text and photo unseen."""
    kinds = shop.columns["item"][:, None] == np.array(list(ITEMS), dtype=object)
    table = np.column_stack([kinds, shop.columns["age_years"], np.log(shop.columns["width_cm"])]).astype(float)
    learned = is_learned(shop)
    weights = np.linalg.lstsq(table[learned], np.log(shop.price[learned]), rcond=None)[0]
    return np.exp(table @ weights)


def constant(shop: World) -> np.ndarray:
    """The median price of all."""
    return np.full(len(shop.price), np.median(shop.price[is_learned(shop)]))


def is_learned(shop: World) -> np.ndarray:
    """(n,) True for the even rows."""
    return np.arange(len(shop.price)) % 2 == 0


def mae(shop: World, values: np.ndarray) -> float:
    """Mean absolute error on the odd rows, EUR."""
    return float(np.abs(shop.price - values)[~is_learned(shop)].mean())


def scores(shop: World) -> dict[str, float]:
    """MAE in EUR of each known model, and the share of the oracle's gain over the constant that the naive ones have."""
    found = {model.__name__: mae(shop, model(shop)) for model in (oracle, item_median, numbers_alone, constant)}
    found |= {f"without_{source}": mae(shop, without(shop, source)) for source in SOURCES}
    gain = found["constant"] - found["oracle"]
    naive = ("item_median", "numbers_alone")
    return {**found, **{f"{name}_share_of_gain": (found["constant"] - found[name]) / gain for name in naive}}


def main(target: Path = TARGET) -> None:
    """Write table and photos and say what the truth behind them allows."""
    shop = world()
    shutil.rmtree(target / "photos", ignore_errors=True)
    (target / "photos").mkdir(parents=True)
    names = [f"photos/{number:03}.png" for number in range(len(shop.price))]
    for name, pixels in zip(names, shop.photos, strict=True):
        Image.fromarray(pixels).quantize(16, dither=Image.Dither.NONE).save(target / name, optimize=True)
    rows = zip(*shop.columns.values(), names, shop.price, strict=True)
    with (target / "offers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*shop.columns, "photo", "price"], *rows])
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"{target}: {len(names)} offers, {size:,} bytes, {shop.price.min()} to {shop.price.max()} EUR")
    print(json.dumps({name: round(value, 3) for name, value in scores(shop).items()}))


if __name__ == "__main__":
    main()
