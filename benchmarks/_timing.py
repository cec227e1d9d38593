"""Time programs side by side."""

import statistics
import time
from collections.abc import Callable, Collection
from typing import Any


def median_times(
    cases: dict[str, Callable[[], Any]],
    n_repetitions: int,
    clock: Callable[[], float] = time.perf_counter,
    *,
    slow: Collection[str] = (),
) -> dict[str, float]:
    """Run all cases in turn, several times, so that all see the same machine.

    Slow ones are left out every other time.
    """
    times: dict[str, list[float]] = {case: [] for case in cases}
    for repetition in range(n_repetitions):
        for case, run in cases.items():
            if repetition % 2 and case in slow:
                continue
            start = clock()
            run()
            times[case].append(clock() - start)
    return {case: statistics.median(seconds) for case, seconds in times.items()}
