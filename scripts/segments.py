"""Segments of customers from an encoder's embeddings, as a page: what sets each apart, whether they last, what moved.

python scripts/segments.py source=complete_journey model=profile/table

The encoder and the segments are fitted at the earlier cutoff, a window before the test window's, and customers are
assigned anew at the later one: that shows who moves between segments, and what has drifted. Nothing after the later
cutoff is looked at. Each customer's segments go to reports/segments_<dataset>.parquet, all else to the page beside it.

Own arguments, besides those of scripts/train.py and the tags' (see scripts/portrait.py):
  n_segments=6               how many; default: the largest number from 2 to 12 that another sample would show again
  min_customers=20           smaller segments are joined to others, and fewer customers are never described
  colour=spend_91,loyal      features, tags or facts that get a map each; default: three that most shops know
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OWN = ("n_segments", "min_customers", "colour")
USUAL = ("spend_91", "discount_share", "loyal")
DEFAULTS = {"model": "model=profile/table", "tags": "+tags=default"}


def main() -> None:
    """Make segments, print them, write the page."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        segment(own, overrides)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The script's own arguments, and the overrides of a run.

    Raises:
        ValueError: where a number is none.
    """
    words = [each.partition("=") for each in given]
    own = {name: value for name, _, value in words if name in OWN}
    for name in ("n_segments", "min_customers"):
        if not own.get(name, "1").isdecimal() or int(own.get(name, "1")) < 1:
            raise ValueError(f"{name} takes a whole number from 1, not {own[name]}")
    named = {name.lstrip("+") for name, _, _ in words}
    defaults = [override for name, override in DEFAULTS.items() if name not in named]
    return own, [*defaults, *("".join(each) for each in words if each[0] not in OWN)]


def segment(own: dict[str, str], overrides: Sequence[str]) -> Path:
    """Load, embed, cluster, write, track; the page's path is returned.

    Raises:
        ValueError: where the model is no profile encoder, or a colour is not known.
    """
    from hydra.utils import instantiate
    from rich.console import Console

    from omniretail.config import compose
    from omniretail.profile.segments.evaluate import segment_customers
    from omniretail.profile.windows import date_text, two_windows
    from omniretail.report.pages.segments_summary import segment_summary
    from omniretail.report.pages.segments_text import percent
    from omniretail.sources.protocol import load
    from omniretail.tracking import tracked
    from omniretail.views.profile.dictionary import ALL

    cfg, least = compose(*overrides), int(own.get("min_customers", 20))
    encoder, name = instantiate(cfg.model), cfg.model._target_.rpartition(".")[2]
    if not hasattr(encoder, "embed"):
        raise ValueError(f"{name} gives lists, not vectors of customers; choose a profile such as model=profile/table")
    tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
    known = two_windows(tables, instantiate(cfg.split), "test", Path(cfg.cache_dir))
    first, second, features = _looks(encoder, known)
    profile, words = _readable(cfg, known.before, first.table, features, tables.card.currency)
    colours = _colours(own.get("colour"), profile)
    asked = int(own["n_segments"]) if "n_segments" in own else None
    found = segment_customers(first, second, asked, least, cfg.seed)
    page = Path("reports") / f"segments_{cfg.dataset}.html"
    title = f"{tables.card.title}: segments of customers"
    facts = {
        "Encoder": name,
        "Segments made on": f"{date_text(known.before.at)}, {len(first.ids):,} customers",
        "Assigned anew on": f"{date_text(known.now.at)}, {len(found.ids):,} customers",
        "In the same segment": percent(float(found.kept @ found.segments.sizes) / len(first.ids)),
    }
    _write(page, title, tables.card, found, first, profile, colours, words, facts, least)
    recent = [each.name for each in features if each.window != ALL]
    console = Console(highlight=False)
    console.print(title, *(f"{what}: {said}" for what, said in facts.items()), sep="\n", markup=False)
    console.print(segment_summary(found, profile, words, recent, least))
    params = {"dataset": cfg.dataset, "source": cfg.source._target_, "split": cfg.split._target_, "model": name, **own}
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, f"segments {name}", params) as kept:
        _record(kept, found, page, cfg, recent)
        run_id = kept.run_id
    print(f"page={page}\nrun_id={run_id}")
    return page


def _looks(encoder: Any, known: Any) -> tuple[Any, Any, list[Any]]:
    """The customers at both moments, and the dictionary of their tables; all is learned at the first."""
    from omniretail.models.profiles.table import ProfileTable
    from omniretail.profile.segments.evaluate import Snapshot
    from omniretail.profile.windows import aligned

    before, now = known.before, known.now
    encoder.fit(before)
    table = encoder if isinstance(encoder, ProfileTable) else ProfileTable().fit(before)
    first, second = (
        Snapshot(ids.ids.to_numpy(), encoder.embed(histories, at), table.table(histories, at))
        for ids, histories, at in (
            (before.users, before.histories, before.at),
            (now.users, aligned(now, before), now.at),
        )
    )
    return first, second, table.features()


def _readable(cfg: Any, train: Any, table: Any, features: list[Any], currency: str) -> tuple[Any, dict[str, str]]:
    """Features, tags and facts of the customers at the first moment, and what to call them."""
    import pandas as pd
    from omegaconf import OmegaConf

    from omniretail.profile.tags import learn, tags_from
    from omniretail.report.pages.segments_summary import feature_words

    rules: Any = OmegaConf.to_container(cfg.tags, resolve=True)
    learned = learn(tags_from(rules), table, features)
    users = pd.DataFrame() if train.user_table is None else train.user_table
    facts = {name: users[column].to_numpy() for name, column in cfg.facts.items() if column in users}
    words = feature_words(features, currency) | {tag.name: f"tag “{tag.label}”" for tag in learned.tags}
    return pd.concat([table, learned.apply(table), pd.DataFrame(facts, index=table.index)], axis=1), words


def _colours(asked: str | None, profile: Any) -> list[str]:
    """Columns that get a map.

    Raises:
        ValueError: naming the nearest, where one is not known.
    """
    from omniretail.profile.tags.rules import nearest

    if asked is None:
        return [name for name in USUAL if name in profile and profile[name].notna().any()]
    names = [asked] if asked in profile else [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in profile:
            near = nearest(name, profile) or "; scripts/portrait.py shows what there is"
            raise ValueError(f"colour takes features, tags and facts, and there is no {name!r}{near}")
    return list(dict.fromkeys(names))


def _write(
    page: Path,
    title: str,
    data: Any,
    found: Any,
    first: Any,
    profile: Any,
    colours: list[str],
    words: dict[str, str],
    facts: dict[str, str],
    least: int,
) -> None:
    from omniretail.report.pages.segments import write_segments

    page.parent.mkdir(parents=True, exist_ok=True)
    write_segments(
        *(page, title, data, found.segments, first.embeddings, profile, colours, words),
        over_time=found.over_time,
        drifted=found.drifted,
        auc=found.auc,
        over_seeds=found.over_seeds,
        facts=facts,
        min_customers=least,
    )
    found.customers().to_parquet(page.with_suffix(".parquet"), index=False)


def _record(kept: Any, found: Any, page: Path, cfg: Any, recent: list[str]) -> None:
    from omegaconf import OmegaConf

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "segments").mkdir()
        found.drifted.to_parquet(folder / "segments" / "drift.parquet", index=False)
        for file in (page, page.with_suffix(".parquet")):
            (folder / "segments" / file.name).write_bytes(file.read_bytes())
        kept.record(folder, {f"segments/{name}": value for name, value in found.metrics(recent).items()})


if __name__ == "__main__":
    main()
