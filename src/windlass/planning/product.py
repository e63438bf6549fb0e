"""`product.yaml`: what the business knows and no data shows. Typed and strict; what is not said is assumed, and
shown."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from windlass.durations import DAY_S
from windlass.errors import SpecError, did_you_mean, expected
from windlass.records import Json
from windlass.strict_yaml import Strict, read

FILE_NAME = "product.yaml"
PRICES = Path(__file__).parent / "prices.yaml"


class Prices(Strict):
    """What machines, APIs and labels cost. The ones in the package are examples."""

    as_of: date = Field(description="the day of these prices")
    currency: str = Field(min_length=1, max_length=8, description="of the prices")
    machine_hour: float = Field(gt=0, description="an hour of a machine that serves")
    machine_cores: int = Field(ge=1, le=1024, description="processor cores of that machine")
    large_machine_hour: float | None = Field(None, gt=0, description="an hour of a larger machine (none: not offered)")
    large_machine_cores: int | None = Field(None, ge=1, le=1024, description="processor cores of the larger one")
    training_hour: float = Field(ge=0, description="an hour of a machine that trains")
    api_input_million: float = Field(ge=0, description="a million tokens read by a model behind an API")
    api_output_million: float = Field(ge=0, description="a million tokens written by it")
    label_row: float = Field(ge=0, description="one row labelled by others")
    label_rows_hour: float = Field(gt=0, description="rows that one of your people labels in an hour")


class Product(Strict):
    """The product as the business sees it. Amounts are in `currency`; `wrong_costs` overrides `wrong_cost` by label."""

    currency: str = Field("EUR", min_length=1, max_length=8, description="of every amount here")
    users: int | None = Field(None, ge=0, description="people who use the product")
    requests_a_day: float = Field(1_000, gt=0, description="answers asked for on a usual day")
    peak_a_second: float | None = Field(None, gt=0, description="answers asked for in the busiest second")
    right_value: float = Field(0.50, ge=0, description="what a right answer is worth, such as work it saves")
    wrong_cost: float = Field(2.00, ge=0, description="what a wrong answer costs, such as the work to mend it")
    wrong_costs: dict[str, float] = Field(
        {}, description="label -> what it costs when this label is the truth and is missed"
    )
    case_minutes: float = Field(2, gt=0, description="minutes that a person needs for a case that is handed over")
    person_wrong: float = Field(0.02, ge=0, lt=1, description="share of those cases that the person gets wrong, 0-1")
    budget: float = Field(5_000, ge=0, description="to be spent on the plan: labels, machines, outside help")
    people: int = Field(1, ge=1, description="people who can work on the product")
    hours_a_week: float = Field(10, gt=0, le=168, description="hours a week of all of them together")
    hour_cost: float = Field(40, ge=0, description="what an hour of their work costs")
    label_cost: float | None = Field(None, ge=0, description="one more labelled row (none: as the prices say)")
    rows_a_week: float = Field(500, gt=0, description="rows that can be collected and labelled in a week")
    deadline: date | None = Field(None, description="the plan ends here (none: in six months)")
    upkeep_hours: float = Field(4, ge=0, description="hours a month that running the service takes")
    machines: int = Field(1, ge=1, le=10_000, description="machines that serve today")
    workers: int = Field(1, ge=1, le=1024, description="processes of each of them, one a core at most")
    api_thousand: float | None = Field(
        None, ge=0, description="1,000 answers of an API that you could buy (none: by tokens, as the prices say)"
    )
    sensitive: list[str] = Field([], description="input columns whose groups must be treated alike, such as age")
    prices: str = Field("", description="a file of prices to use instead of the examples in the package")

    @property
    def peak(self) -> float:
        """Answers asked for in the busiest second: given, else ten times the mean of a day."""
        return self.peak_a_second if self.peak_a_second is not None else 10 * self.requests_a_day / DAY_S

    @property
    def month(self) -> float:
        """Answers asked for in a month."""
        return self.requests_a_day * DAYS_A_MONTH


DAYS_A_MONTH = 365.25 / 12


def load(folder: Path, columns: list[str] | None = None) -> Product:
    """The product of this project; without a file, what is usually so. Raises: SpecError: what is wrong in it.

    columns: the inputs that `sensitive` may name.
    """
    path = folder / FILE_NAME
    found = read(Product, path) if path.is_file() else Product.model_validate({})
    for name in found.sensitive:
        if columns is not None and name not in columns:
            raise SpecError(
                f"{path}: 'sensitive' names '{name}', expected {expected(columns)}", did_you_mean(name, columns)
            )
    return found


def check_labels(product: Product, labels: Iterable[str]) -> None:
    """Raises: SpecError: `wrong_costs` names a label that does not occur."""
    known = list(labels)
    for name in product.wrong_costs:
        if name not in known:
            raise SpecError(
                f"{FILE_NAME}: 'wrong_costs' names '{name}', expected {expected(known)}", did_you_mean(name, known)
            )


def load_prices(product: Product, folder: Path) -> tuple[Prices, str]:
    """The prices, and where they are from. Raises: SpecError: no such file, or what is wrong in it."""
    path = folder / product.prices if product.prices else PRICES
    if not path.is_file():
        raise SpecError(f"{path} does not exist, expected a file of prices", f"start from a copy of {PRICES}")
    found = read(Prices, path)
    if found.currency != product.currency and product.prices:
        raise SpecError(f"{path}: 'currency' is '{found.currency}', expected '{product.currency}' as in {FILE_NAME}")
    return found, product.prices or "examples in the package, not yours"


def assumptions(product: Product, prices: Prices, prices_from: str) -> list[Json]:
    """Every figure that the plan rests on: name, value, source (said or assumed), meaning."""
    said = product.model_fields_set
    found = [
        _assumption(name, getattr(product, name), FILE_NAME if name in said else "assumed", field.description or "")
        for name, field in Product.model_fields.items()
        if name not in ("prices", "users") and (name in said or getattr(product, name) not in (None, {}, []))
    ]
    return found + [
        _assumption(name, getattr(prices, name), f"prices: {prices_from}", field.description or "")
        for name, field in Prices.model_fields.items()
        if name != "currency"
    ]


def _assumption(name: str, value: Any, source: str, meaning: str) -> Json:
    return {"name": name, "value": _shown(value), "source": source, "meaning": meaning}


def _shown(value: Any) -> str:
    """A value as a person writes it."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return f"{value:,g}" if isinstance(value, float) else str(value)


def label_cost(product: Product, prices: Prices) -> float:
    """What one more labelled row costs."""
    return prices.label_row if product.label_cost is None else product.label_cost
