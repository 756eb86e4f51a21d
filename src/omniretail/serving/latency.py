"""Two saved models timed in alternation, in a process of its own: what makes the machine slow makes both slow.

``python -m omniretail.serving.latency <file> <bundle> [<bundle>]`` writes the milliseconds of each model's single
requests to the file, as JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from omniretail.serving.pyfunc import load_service

_MAX_ROUNDS, _MIN_ROUNDS, _PATIENCE_S = 200, 10, 10.0


def main(file: Path, bundles: list[Path]) -> None:
    """Load the models, time them in alternation, write the times."""
    services = [load_service(bundle) for bundle in bundles]
    examples = [service.example() for service in services]
    times: list[list[float]] = [[] for _ in services]
    start = time.perf_counter()
    while len(times[0]) < _MAX_ROUNDS and (len(times[0]) < _MIN_ROUNDS or time.perf_counter() - start < _PATIENCE_S):
        number = len(times[0])
        for place in range(len(services)) if number % 2 else reversed(range(len(services))):
            times[place].append(_milliseconds(services[place], examples[place], number))
    file.write_text(json.dumps(times))


def _milliseconds(service: Any, requests: Any, number: int) -> float:
    request = requests.iloc[[number % len(requests)]]
    start = time.perf_counter()
    service.predict(request)
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(bundle) for bundle in sys.argv[2:]])
