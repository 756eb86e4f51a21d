"""Every number about speed.

python -m benchmarks <what> [settings of the data] [options]
python -m benchmarks <what> --help
"""

import ast
import importlib
import sys
from pathlib import Path

WHAT = (
    *("views", "evaluation", "training", "profiles", "lifetime", "allocation", "tianchi"),
    *("onnx", "serving", "recbole_cost", "recbole_support"),
)


def main(arguments: list[str]) -> None:
    """Run one benchmark; it is imported only then, so that the memory of what others import does not count."""
    if not arguments or arguments[0] not in WHAT:
        print(__doc__, *map(_line, WHAT), sep="\n")
        sys.exit(0 if arguments in ([], ["-h"], ["--help"]) else f"error: no benchmark {arguments[0]}")
    importlib.import_module(f"benchmarks.{arguments[0]}").main(arguments[1:])


def _line(what: str) -> str:
    source = (Path(__file__).parent / f"{what}.py").read_text()
    about = ast.get_docstring(ast.parse(source)) or ""
    return f"  {what:16} {about.partition(':')[0]}"


if __name__ == "__main__":
    main(sys.argv[1:])
