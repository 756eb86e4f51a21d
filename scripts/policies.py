"""What a policy costs: how much of the lists was feasible before it and after, and the regret.

python scripts/train.py policy=store_assortment model=recommender/personal_top
python scripts/policies.py <run_id> <run_id>
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

K = 10


def main() -> None:
    """Parse, read, print; on demand also put the table into an experiment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_ids", nargs="+", help="runs or sweeps under a policy, as printed in run_id=<id>")
    parser.add_argument("--uri", default=os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"), help="store")
    parser.add_argument("--stage", choices=["val", "test"], default="test", help="which figures")
    parser.add_argument("--dataset", default="", help="name of the data in the experiment's tables")
    parser.add_argument("--experiment", type=Path, help="put the table into this folder's results.csv and README")
    try:
        show(parser.parse_args())
    except (LookupError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def show(arguments: argparse.Namespace) -> None:
    """Print what the runs' policies cost."""
    import pandas as pd  # here, so that --help does not wait
    from rich.console import Console

    from omniretail.report.tables.plain import plain_terminal
    from omniretail.report.tables.render import refresh
    from omniretail.report.tables.stores import POLICY, keep_part, policy_cells
    from omniretail.tracking import children, load_result

    run_ids = [run_id for asked in arguments.run_ids for run_id in children(arguments.uri, asked)]
    results = [load_result(arguments.uri, run_id, arguments.stage) for run_id in run_ids]
    table = pd.DataFrame([cost(result) for result in results]).sort_values("shown", ascending=False)
    console = Console(highlight=False)
    console.print(*sorted({result.settings.get("policy", "") for result in results}), sep="\n")
    console.print(plain_terminal(policy_cells(table)))
    if arguments.experiment:
        keep_part(arguments.experiment, POLICY, arguments.dataset or results[0].settings["source"], table)
        refresh(arguments.experiment / "README.md", arguments.experiment / "results.csv")


def cost(result: Any) -> dict[str, Any]:
    """A run's figures under its policy.

    Raises:
        ValueError: where the run's policy is no chain of rules.
    """
    from omniretail.metrics.significance import bootstrap_interval

    values = result.per_user
    if f"regret_at_{K}" not in values:
        raise ValueError(f"{result.model} was judged under no chain of rules; run it with policy=store_assortment")
    low, high = bootstrap_interval(values[f"regret_at_{K}"].to_numpy())
    return {
        "model": result.model,
        "policy": result.settings.get("policy", ""),
        "free": values[f"unconstrained_ndcg_at_{K}"].mean(),
        "shown": values[f"ndcg_at_{K}"].mean(),
        "regret": values[f"regret_at_{K}"].mean(),
        "regret_low": float(low),
        "regret_high": float(high),
        "score_regret": values[f"score_regret_at_{K}"].mean(),
        "feasible_before": values[f"feasible_share_before_at_{K}"].mean(),
        "feasible_after": values[f"feasible_share_at_{K}"].mean(),
        "customers": len(values),
        "fallen_back": result.overall.get("users_fallen_back", 0),
        "unknown": result.overall.get("users_unknown_to_policy", 0),
    }


if __name__ == "__main__":
    main()
