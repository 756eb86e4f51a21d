"""Who answers iFood's last campaign? Response models by cross-validation, with and without what may lie after it.

python scripts/ifood.py
"""

import argparse
import sys
from pathlib import Path

from hydra.utils import instantiate
from rich.console import Console
from rich.table import Table

from omniretail.config import compose
from omniretail.o2o.offers.ifood import examine, response_rows
from omniretail.run import USER_ERRORS
from omniretail.sources.protocol import load

_MODELS = ("base_rate", "logistic", "lightgbm")
_SETS = {False: "known before", True: "undated too"}


def main() -> None:
    """Read, cross-validate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overrides", nargs="*", help="as for train.py, such as data_root=data")
    arguments = parser.parse_args()
    try:
        _examine(arguments.overrides)
    except USER_ERRORS as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def _examine(overrides: list[str]) -> None:
    cfg = compose("source=ifood", *overrides)
    tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
    shown = Table("columns", "model", "AUC", "95 %", "AP", "log loss")
    sets = {columns: response_rows(tables, undated) for undated, columns in _SETS.items()}
    for columns, asked in sets.items():
        for name in _MODELS:
            settings = compose("source=ifood", f"model=response/{name}", *overrides).model
            found = examine(lambda settings=settings: instantiate(settings), asked).set_index("figure")
            auc = found.loc["auc"]
            others = (f"{found['value'][figure]:.3f}" for figure in ("average_precision", "log_loss"))
            shown.add_row(columns, name, f"{auc.value:.3f}", f"{auc.low:.3f}–{auc.high:.3f}", *others)
    Console().print(shown)
    y = response_rows(tables).y
    print(f"{len(y):,} customers, {y.mean():.1%} accepted; each is answered for by models that have not seen them")


if __name__ == "__main__":
    main()
