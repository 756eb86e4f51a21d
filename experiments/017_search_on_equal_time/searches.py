"""Search every recommender for the same time, by TPE and by random draws; a line of searches.csv per search.

    python experiments/017_search_on_equal_time/searches.py --seconds 3600

Searches that searches.csv has are not repeated. ``--table`` only makes the README's table anew from it.
"""

import argparse
import csv
import re
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pandas as pd
import yaml

FOLDER = Path(__file__).parent
SEARCHES = FOLDER / "searches.csv"
START, END = "<!-- searches:start -->", "<!-- searches:end -->"
DATASETS = ("complete_journey", "beauty", "uci_online_retail")
MODELS = [
    name.rpartition("/")[2]
    for name in yaml.safe_load((FOLDER / "config.yaml").read_text())["hydra"]["sweeper"]["params"]["model"].split(",")
]
COLUMNS = (
    *("dataset", "model", "sampler", "seconds", "finished", "stopped", "failed", "default", "best"),
    *("settings", "wall_s", "test_runs", "error"),
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600, help="of each search")
    parser.add_argument("--datasets", nargs="+", default=DATASETS, choices=DATASETS)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--samplers", nargs="+", default=["tpe", "random"], choices=["tpe", "random"])
    parser.add_argument("--storage", default="sqlite:///cache/search.db")
    parser.add_argument("--seeds", type=int, default=5, help="final fits of the winner of TPE")
    parser.add_argument("--untuned", action="store_true", help="do not begin with what configs/tuned has")
    parser.add_argument("--table", action="store_true", help="only make the README's table anew")
    arguments = parser.parse_args()
    for dataset in () if arguments.table else arguments.datasets:
        for model in arguments.models:
            for sampler in arguments.samplers:
                if not _is_done(dataset, model, sampler, arguments.seconds):
                    _append(_searched(dataset, model, sampler, arguments))
    write_table(FOLDER / "README.md", pd.read_csv(SEARCHES, keep_default_na=False))


def table(searches: pd.DataFrame) -> str:
    """The table of all searches, Markdown."""
    lines = [
        "| data | model | default | TPE | trials | random | trials | TPE - random |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    rows = []
    for (dataset, model), both in searches.groupby(["dataset", "model"], sort=False):
        found = {str(row["sampler"]): row for row in both.to_dict("records")}
        cells = [_figure(_first(found, "default"))]
        for sampler in ("tpe", "random"):
            cells += [_figure(found.get(sampler, {}).get("best", "")), _trials(found.get(sampler))]
        values = [found.get(sampler, {}).get("best", "") for sampler in ("tpe", "random")]
        difference = f"{float(values[0]) - float(values[1]):+.4f}" if all(values) else "-"
        rows.append((str(dataset), -float(values[0] or 0), [str(dataset), str(model), *cells, difference]))
    order = {name: number for number, name in enumerate(DATASETS)}
    lines += [f"| {' | '.join(cells)} |" for _, _, cells in sorted(rows, key=lambda row: (order[row[0]], row[1]))]
    return "\n".join(lines)


def write_table(readme: Path, searches: pd.DataFrame) -> None:
    """Put the table between its markers."""
    text = readme.read_text(encoding="utf-8")
    new = f"{START}\n{table(searches)}\n{END}"
    readme.write_text(re.sub(f"{START}.*{END}", lambda _: new, text, flags=re.DOTALL), encoding="utf-8")


def _first(found: dict[str, dict], column: str) -> str:
    return next((row[column] for row in found.values() if row[column]), "")


def _figure(value: object) -> str:
    return f"{float(str(value)):.4f}" if value else "-"


def _trials(row: dict | None) -> str:
    if row is None:
        return "-"
    stopped = f" + {row['stopped']} stopped" if int(row["stopped"]) else ""
    failed = f" + {row['failed']} failed" if int(row["failed"]) else ""
    return f"{row['finished']}{stopped}{failed}"


def _is_done(dataset: str, model: str, sampler: str, seconds: int) -> bool:
    if not SEARCHES.exists():
        return False
    done = pd.read_csv(SEARCHES)
    return bool(
        (
            (done.dataset == dataset) & (done.model == model) & (done.sampler == sampler) & (done.seconds == seconds)
        ).any()
    )


def _append(row: dict[str, object]) -> None:
    new = not SEARCHES.exists()
    with SEARCHES.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


def _searched(dataset: str, model: str, sampler: str, arguments: argparse.Namespace) -> dict[str, object]:
    study = f"017-{dataset}-{model}-{sampler}-{arguments.seconds}"
    seeds = arguments.seeds if sampler == "tpe" else 0  # test is looked at once
    words = [
        *(f"source={dataset}", f"model=recommender/{model}", f"search.sampler={sampler}", f"search.study={study}"),
        *(f"search.timeout={arguments.seconds}", f"search.seeds={seeds}"),
        f"search.storage={arguments.storage}",
        *(["~tuned"] if arguments.untuned else []),
    ]
    began = time.monotonic()
    where = ["--config-dir", str(FOLDER), "--config-name", "config"]
    done = subprocess.run(
        [sys.executable, "scripts/search.py", *where, *words], capture_output=True, text=True, check=False
    )
    sys.stderr.write(done.stdout[-2000:] + done.stderr[-500:])
    row: dict[str, object] = {"dataset": dataset, "model": model, "sampler": sampler, "seconds": arguments.seconds}
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return (
        row
        | _found(arguments.storage, study)
        | {
            "wall_s": round(time.monotonic() - began),
            "error": errors[-1][7:200] if errors else "",
        }
    )


def _found(storage: str, name: str) -> dict[str, object]:
    study = optuna.load_study(study_name=name, storage=storage)
    states = [trial.state.name for trial in study.trials]
    finished = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    best = max(finished, key=lambda trial: trial.value) if finished else None
    default = next((trial.value for trial in finished if trial.number == 0), "")
    runs = [run for key, run in study.user_attrs.items() if best and key.startswith(f"judged/{best.number}/")]
    return {
        "finished": len(finished),
        "stopped": states.count("PRUNED"),
        "failed": states.count("FAIL"),
        "default": default,
        "best": best.value if best else "",
        "settings": " ".join(f"{key}={value}" for key, value in best.params.items()) if best else "",
        "test_runs": " ".join(runs),
    }


if __name__ == "__main__":
    main()
