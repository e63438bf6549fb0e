"""Draws the sample data of the machine-health blueprint: readings of eight machines with faults that are known.

Source: invented for this project, Apache-2.0.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/machine-health/data"
START = datetime(2025, 1, 6)  # a Monday
N_MACHINES, N_WEEKS = 8, 17
EVERY_HOURS, A_DAY = 2, 12
QUIET_DAYS = 21  # before the first fault of each machine: what a model may learn as good
GAP_DAYS = (9.0, 24.0)  # from a repair to the next onset
LASTS_DAYS = {"bearing": (4.0, 7.0), "imbalance": (2.5, 6.0), "overheating": (3.0, 6.5), "sensor": (2.0, 4.0)}
CAUSES = tuple(LASTS_DAYS)  # from an onset to the failure that ends it; a repair follows at once
FAILS_WITHIN_DAYS = 7.0
VIBRATION_NOISE, TEMPERATURE_NOISE = 0.08, 0.6  # standard deviations of a reading, mm/s and degrees Celsius
BEARING_A_DAY, IMBALANCE, OVERHEATING_A_DAY = 0.26, 0.45, 2.6  # mm/s, mm/s, degrees: each told from load only with care
MONTH_DAYS = 30.4


@dataclass(frozen=True)
class Fault:
    """What went wrong, from its onset to the failure: places of readings, the failure's own not included."""

    machine: int
    onset: int
    failure: int
    cause: str


@dataclass(frozen=True)
class World:
    """Readings (machines, times) every two hours, the faults, and the truth: what a healthy machine would have shown.

    `vibration` in mm/s, `temperature` in degrees Celsius, `load` 0 to 1; `healthy_*` are means without noise.
    """

    vibration: np.ndarray
    temperature: np.ndarray
    load: np.ndarray
    healthy_vibration: np.ndarray
    healthy_temperature: np.ndarray
    faults: tuple[Fault, ...]

    @property
    def cause(self) -> np.ndarray:
        """(machines, times) the fault that each reading was taken in, `none` in most."""
        causes = np.full(self.load.shape, "none", dtype=object)
        for fault in self.faults:
            causes[fault.machine, fault.onset : fault.failure] = fault.cause
        return causes

    @property
    def fails_soon(self) -> np.ndarray:
        """(machines, times) True where the machine fails within `FAILS_WITHIN_DAYS`."""
        return self.hours_to_failure <= FAILS_WITHIN_DAYS * 24

    @property
    def hours_to_failure(self) -> np.ndarray:
        """(machines, times) hours until the next failure of the machine, infinite after the last one."""
        hours = np.full(self.load.shape, np.inf)
        for fault in reversed(self.faults):
            until = fault.failure - np.arange(fault.failure)
            hours[fault.machine, : fault.failure] = EVERY_HOURS * until
        return hours


def loads(n_times: int, rng: np.random.Generator) -> np.ndarray:
    """(n_times,) how hard a machine works, 0 to 1: two shifts on working days, little at night and on Sundays."""
    hours = np.arange(n_times) * EVERY_HOURS
    of_day, of_week = hours % 24, hours // 24 % 7
    plan = 0.15 + 0.6 * ((of_day >= 6) & (of_day < 22)) * np.where(of_week == 6, 0.15, np.where(of_week == 5, 0.6, 1))
    swing = np.zeros(n_times)
    for place in range(1, n_times):
        swing[place] = 0.85 * swing[place - 1] + rng.normal(0, 0.05)
    return np.clip(plan + swing, 0, 1).round(2)


def healthy(load: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mean vibration and temperature (n_times,) of a sound machine: both follow the load, heat with a delay."""
    hours = np.arange(len(load)) * EVERY_HOURS
    vibration = rng.uniform(0.9, 1.6) + rng.uniform(0.5, 0.9) * load
    warm = np.zeros(len(load))
    warm[0] = load[0]
    for place in range(1, len(load)):
        warm[place] = 0.6 * warm[place - 1] + 0.4 * load[place]
    hall = 19 + 2.5 * np.sin(2 * np.pi * (hours - 9) / 24) + 3 * np.sin(2 * np.pi * (hours / 24 - 60) / 365.25)
    return vibration, hall + rng.uniform(14, 20) + rng.uniform(16, 26) * warm


def schedule(machine: int, n_times: int, rng: np.random.Generator) -> Iterator[Fault]:
    """The faults of one machine, one at a time, each cause about as often as the others."""
    order = [cause for _ in range(n_times // A_DAY // 40 + 1) for cause in rng.permutation(CAUSES)]
    at = QUIET_DAYS * A_DAY + int(rng.uniform(0, 12) * A_DAY)
    for cause in order:
        failure = at + int(rng.uniform(*LASTS_DAYS[cause]) * A_DAY)
        if failure >= n_times:
            return
        yield Fault(machine, at, failure, str(cause))
        at = failure + int(rng.uniform(*GAP_DAYS) * A_DAY)


def damage(readings: dict[str, np.ndarray], fault: Fault, rng: np.random.Generator) -> None:
    """Write what the fault does into vibration and temperature (n_times,) of its machine."""
    during = slice(fault.onset, fault.failure)
    days = np.arange(1, fault.failure - fault.onset + 1) / A_DAY
    if fault.cause == "bearing":  # wear that grows, and a little heat of friction
        readings["vibration"][during] += BEARING_A_DAY * rng.uniform(0.8, 1.4) * days
        readings["temperature"][during] += 0.25 * days
    elif fault.cause == "imbalance":  # a jump that stays
        readings["vibration"][during] += IMBALANCE * rng.uniform(0.8, 1.5)
    elif fault.cause == "overheating":
        readings["temperature"][during] += OVERHEATING_A_DAY * rng.uniform(0.8, 1.4) * days
    else:  # one of the two sensors says the same ever after
        name = str(rng.choice(list(readings)))
        readings[name][during] = readings[name][fault.onset - 1]


def world(seed: int = SEED, n_machines: int = N_MACHINES, n_weeks: int = N_WEEKS) -> World:
    """The same world for the same seed; larger ones than the sample serve to measure."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in World.__dataclass_fields__ if name != "faults"}
    faults: list[Fault] = []
    for machine in range(n_machines):
        rng = np.random.default_rng([seed, machine])
        load = loads(n_weeks * 7 * A_DAY, rng)
        vibration, temperature = healthy(load, rng)
        readings = {
            "vibration": (vibration + rng.normal(0, VIBRATION_NOISE, len(load))).round(2),
            "temperature": (temperature + rng.normal(0, TEMPERATURE_NOISE, len(load))).round(1),
        }
        for fault in schedule(machine, len(load), rng):
            damage(readings, fault, rng)
            faults.append(fault)
        truth = {"healthy_vibration": vibration, "healthy_temperature": temperature}
        for name, values in {"load": load, **readings, **truth}.items():
            columns[name].append(values)
    return World(faults=tuple(faults), **{name: np.array(values) for name, values in columns.items()})


# alarms: (machines, times) bool, True where a model that saw the readings up to this one says "fault" -----------------


def oracle(plant: World) -> np.ndarray:
    """Knows when faults begin."""
    return plant.cause != "none"


def informed(plant: World) -> np.ndarray:
    """Knows the healthy machine but no onset: what the readings of the last day can tell at all.

    Sums of standardised differences over 6 and 12 hours and a day, and a reading that has not changed for 8 hours.
    """
    is_alarm = np.zeros(plant.load.shape, dtype=bool)
    for readings, normal, noise in (
        (plant.vibration, plant.healthy_vibration, VIBRATION_NOISE),
        (plant.temperature, plant.healthy_temperature, TEMPERATURE_NOISE),
    ):
        standard = (readings - normal) / noise
        for n_readings in (3, 6, 12):
            is_alarm |= np.abs(trailing_sum(standard, n_readings)) / np.sqrt(n_readings) > 4.2
        is_alarm |= trailing_sum(np.diff(readings, axis=1, prepend=np.nan) == 0, 4) == 4
    return is_alarm


def three_sigma(plant: World) -> np.ndarray:
    """The naive model: vibration above the mean of the quiet weeks by three standard deviations, load unseen."""
    quiet = plant.vibration[:, : QUIET_DAYS * A_DAY]
    return plant.vibration > (quiet.mean(axis=1) + 3 * quiet.std(axis=1))[:, None]


def never(plant: World) -> np.ndarray:
    """The constant: no alarm."""
    return np.zeros(plant.load.shape, dtype=bool)


def trailing_sum(values: np.ndarray, n: int) -> np.ndarray:
    """(machines, times) the sum of the last n values up to each, 0 where there are fewer."""
    sums = np.cumsum(values.astype(float), axis=1)
    before = np.concatenate([np.zeros((len(values), 1)), sums[:, :-n]], axis=1)
    return np.concatenate([np.zeros((len(values), n - 1)), sums[:, n - 1 :] - before], axis=1)


def alarm_score(plant: World, is_alarm: np.ndarray) -> dict[str, float]:
    """Share of faults with an alarm within 24 hours of their onset, and false alarms a month and machine.

    A fault's own time and the day after its failure, which a window still sees, count for nothing else. Alarms less
    than a day apart are one alarm. The quiet weeks, from which a model learns, are left out.
    """
    first_days = [is_alarm[fault.machine, fault.onset : fault.onset + A_DAY] for fault in plant.faults]
    is_judged = np.ones(is_alarm.shape, dtype=bool)
    is_judged[:, : QUIET_DAYS * A_DAY] = False
    for fault in plant.faults:
        is_judged[fault.machine, fault.onset : fault.failure + A_DAY] = False
    n_false = 0
    for sounded in is_alarm & is_judged:
        places = np.flatnonzero(sounded)
        n_false += int(len(places) > 0) + int((np.diff(places) > A_DAY).sum())
    months = is_judged.sum() / A_DAY / MONTH_DAYS
    return {
        "found_within_a_day": float(np.mean([day.any() for day in first_days])),
        "false_alarms_a_month": float(n_false / months),
    }


# windows: what the last day of readings says of the machine now -------------------------------------------------------


@dataclass(frozen=True)
class Windows:
    """A day of readings each: (n, 12, 3) vibration, temperature, load; at its last reading: cause, whether it fails."""

    readings: np.ndarray
    machine: np.ndarray
    last: np.ndarray  # (n,) the place of the last reading
    cause: np.ndarray
    fails_soon: np.ndarray


def windows(plant: World, every: int = 6) -> Windows:
    """Windows that end at every sixth reading, but none that still sees the fault before a repair."""
    channels = np.stack([plant.vibration, plant.temperature, plant.load], axis=-1)
    is_open = np.ones(plant.load.shape, dtype=bool)
    for fault in plant.faults:
        is_open[fault.machine, fault.failure : fault.failure + A_DAY] = False
    is_open[:, : A_DAY - 1] = False
    is_open &= np.arange(plant.load.shape[1]) % every == A_DAY % every
    machine, last = np.nonzero(is_open)
    readings = np.array([channels[m, k - A_DAY + 1 : k + 1] for m, k in zip(machine, last, strict=True)])
    return Windows(readings, machine, last, plant.cause[machine, last], plant.fails_soon[machine, last])


def balanced_accuracy(truth: np.ndarray, answers: np.ndarray) -> float:
    """The mean over the true labels of the share of them that is answered right."""
    return float(np.mean([(answers[truth == label] == label).mean() for label in np.unique(truth)]))


def window_scores(plant: World) -> dict[str, dict[str, float]]:
    """Balanced accuracy of `cause` and of `fails within 7 days`, of the oracle, the naive model and a constant.

    The oracle knows what is wrong now and nothing of faults to come: it calls every fault a failure within 7 days, as
    all last no longer, and misses those that have not begun. The naive one takes high vibration for imbalance.
    """
    seen = windows(plant)
    is_high = three_sigma(plant)[seen.machine, seen.last]
    none = np.full(len(seen.last), "none", dtype=object)
    causes = {"oracle": seen.cause, "three_sigma": np.where(is_high, "imbalance", none), "never": none}
    soon = {"oracle": seen.cause != "none", "three_sigma": is_high, "never": np.zeros(len(none), dtype=bool)}
    return {
        "cause": {name: balanced_accuracy(seen.cause, answers) for name, answers in causes.items()},
        "fails_soon": {name: balanced_accuracy(seen.fails_soon, answers) for name, answers in soon.items()},
    }


def share_of_gain(found: dict[str, float]) -> float:
    """What the naive model has of the oracle's gain over the constant."""
    return (found["three_sigma"] - found["never"]) / (found["oracle"] - found["never"])


def scores(plant: World) -> dict[str, dict[str, float]]:
    """How each of the known models does in the three tasks, and the naive one's share of the gain in each."""
    alarms = {model.__name__: alarm_score(plant, model(plant)) for model in (oracle, informed, three_sigma, never)}
    tasks = window_scores(plant)
    tasks["anomaly"] = {name: score["found_within_a_day"] for name, score in alarms.items()}
    gains = {task: share_of_gain(found) for task, found in tasks.items()}
    false_alarms = {name: score["false_alarms_a_month"] for name, score in alarms.items()}
    return {**tasks, "false_alarms_a_month": false_alarms, "naive_share_of_gain": gains}


def tables(plant: World) -> dict[str, list[list[str]]]:
    """The rows of the two files as text, without the truth of the healthy machine; each reading with the cause that
    the list of faults names for its time."""
    moments = [START + timedelta(hours=EVERY_HOURS * place) for place in range(plant.load.shape[1])]
    times = [moment.isoformat(timespec="minutes") for moment in moments]
    causes = plant.cause
    readings = [
        [
            time, f"m{machine + 1}", f"{plant.vibration[machine, k]:.2f}", f"{plant.temperature[machine, k]:.1f}",
            f"{plant.load[machine, k]:.2f}", causes[machine, k],
        ]
        for machine in range(len(plant.load))
        for k, time in enumerate(times)
    ]  # fmt: skip
    faults = [[f"m{each.machine + 1}", times[each.onset], times[each.failure], each.cause] for each in plant.faults]
    return {
        "readings": [["time", "machine", "vibration", "temperature", "load", "cause"], *readings],
        "faults": [["machine", "onset", "failure", "cause"], *faults],
    }


def main(target: Path = TARGET) -> None:
    """Write the two files and say what the truth behind them allows."""
    plant = world()
    target.mkdir(parents=True, exist_ok=True)
    for name, rows in tables(plant).items():
        with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    print(f"{target}: {plant.load.size} readings, {len(plant.faults)} faults")
    print(json.dumps(scores(plant), indent=1))


if __name__ == "__main__":
    main()
