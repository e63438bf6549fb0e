"""What a spec must say where the rows of an output are windows of series."""

from windlass.errors import SpecError
from windlass.kinds import table as kinds
from windlass.spec import Spec


def check_windows(spec: Spec) -> None:
    """Raises: SpecError: points are read as series, and it is not said how many of them are a window, or of what."""
    if spec.series is None:
        return
    name, kind = spec.output_column, spec.output[spec.output_column]
    if not spec.series.window:
        raise SpecError(
            f"output '{name}' is '{kind}' and 'series' has no window, expected how many points an answer is told from",
            "`series: {time: time, window: 24, past: [vibration, temperature]}`",
        )
    held = [each for each, kind in spec.inputs.items() if kinds.get(kind).has_points]
    if len(held) != 1:
        raise SpecError(
            f"'series' has a window and {len(held)} inputs are series, expected one", "`inputs: {readings: series}`"
        )
