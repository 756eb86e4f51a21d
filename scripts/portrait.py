"""Tags of all customers, one customer's card, or a segment's portrait, as a page.

python scripts/portrait.py source=complete_journey                         the table of tags
python scripts/portrait.py source=complete_journey customer=1              a customer's card
python scripts/portrait.py source=complete_journey segment=bargain_hunter  the portrait of a tag's customers

Besides customer=, segment= and min_customers= (20: smaller segments are refused) it takes what scripts/train.py takes,
and the tags' own settings (tags.bargain_hunter.all.0.above.quantile=0.9; +tags=<another yaml of configs/tags>).
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OWN = ("customer", "segment", "min_customers")
DAYS = 28


def main() -> None:
    """Say who has which tag, and write the page."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        portray(own, overrides)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {error}")


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The script's own arguments, and the overrides of a run.

    Raises:
        ValueError: where the own ones contradict each other or are no numbers.
    """
    words = [each.partition("=") for each in given]
    own = {name: value for name, _, value in words if name in OWN}
    if "customer" in own and "segment" in own:
        raise ValueError("name a customer or a segment, not both")
    if not own.get("min_customers", "20").isdecimal():
        raise ValueError(f"min_customers takes a whole number, not {own['min_customers']}")
    overrides = ["".join(each) for each in words if each[0] not in OWN]
    return own, overrides if any(name.lstrip("+") == "tags" for name, _, _ in words) else ["+tags=default", *overrides]


def portray(own: dict[str, str], overrides: Sequence[str]) -> Path:
    """Load, tag, write, track; the page's path is returned."""
    from omniretail.config import compose
    from omniretail.tracking import tracked

    cfg = compose(*overrides)
    what = "_".join(own[name] for name in ("customer", "segment") if name in own) or "tags"
    params = {"dataset": cfg.dataset, "source": cfg.source._target_, "split": cfg.split._target_, **own}
    data, population, profile = _population(cfg)
    context = _context(data.title, population.train.at)
    page = Path("reports") / f"portrait_{cfg.dataset}_{_file_name(what)}.html"
    _write(page, own, population, profile, context, data)
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, f"portrait {what}", params) as kept:
        kept.add_file(page, "portraits")
        run_id = kept.run_id
    print(f"page={page}\nrun_id={run_id}")
    return page


def _population(cfg: Any) -> tuple[Any, Any, Any]:
    """The card of the data, everybody, and the fitted profile."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from omniretail.models.profiles.table import ProfileTable
    from omniretail.profile.tags import Population, learn, tags_from
    from omniretail.sources.protocol import load
    from omniretail.views.cached import load_fold

    rules: Any = OmegaConf.to_container(cfg.tags, resolve=True)
    tags = tags_from(rules)
    tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
    train = load_fold(tables, instantiate(cfg.split), "test", Path(cfg.cache_dir)).train
    profile = ProfileTable().fit(train)
    table, features = profile.table(train.histories, train.at), profile.features()
    learned = learn(tags, table, features)
    return tables.card, Population(train, table, features, learned, tables.card.currency), profile


def _write(page: Path, own: dict[str, str], population: Any, profile: Any, context: str, data: Any) -> None:
    from omniretail.profile.tags import customer_card, segment_portrait
    from omniretail.report.pages.customer import write_card, write_portrait

    if "customer" in own:
        card = customer_card(population, own["customer"])
        _print([(tag.label, tag.definition) for tag in card.tags], ["tag", "definition"], f"Customer {card.customer}")
        write_card(page, card, context, data)
    elif "segment" in own:
        tag, least = population.learned.named(own["segment"]), int(own.get("min_customers", 20))
        members = population.tagged[tag.name].to_numpy()
        portrait = segment_portrait(population, members, tag.label, tag.definition, min_customers=least)
        shares = [(each.tag.label, f"{each.share:.0%}", f"{each.everybody:.0%}") for each in portrait.tags]
        _print(shares, ["tag", "of the segment", "of all"], f"{tag.label}: {portrait.size:,} customers")
        write_portrait(page, portrait, context, data)
    else:
        _write_tags(page, population, profile, context, data)


def _write_tags(page: Path, population: Any, profile: Any, context: str, data: Any) -> None:
    from omniretail.profile.tags import earlier, stability
    from omniretail.report.pages.customer import tag_rows, write_tags

    then, known = earlier(profile, population.train.histories, population.train.at, days=DAYS)
    found = stability(population.learned, population.table, then, known)
    columns = ["name", "customers", "share", "kept", "jaccard", "definition"]
    _print([[row[name] for name in columns] for row in tag_rows(population.learned, found)], columns, "Tags")
    for name, reason in population.learned.left_out.items():
        print(f"left out: {name} ({reason})")
    write_tags(page, population.learned, found, context, data, days=DAYS)


def _print(rows: Sequence[Sequence[str]], columns: Sequence[str], title: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(*columns, title=title if rows else f"{title}: no tags")
    for row in rows:
        shown.add_row(*map(escape, row))
    Console(highlight=False).print(shown)


def _context(title: str, seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{title}, as known on {at.day} {at:%B %Y, %H:%M} UTC; nothing after that moment is looked at."


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text)


if __name__ == "__main__":
    main()
