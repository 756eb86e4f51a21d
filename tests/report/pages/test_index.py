"""The list of all pages: complete, newest first, whatever happens beside it."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from omniretail.report.pages.index import Entry, add_to_index, entries, entry_of
from tests.report.reading import ReadPage
from tests.report.results import GROUPED, RESULTS

OLD = Entry(
    "a.html", "2026-01-01T00:00:00+00:00", "Shop <b>", "recommendation", "EASE", "test", "ndcg_at_10", 0.5, "r1"
)


def added(folder: Path, *made: Entry) -> ReadPage:
    for each in made:
        (folder / each.page).write_text("")
        add_to_index(folder, each)
    return ReadPage(folder / "index.html")


def _add(folder: Path, number: int) -> None:
    add_to_index(folder, replace(OLD, page=f"{number}.html", run_id=f"run{number}"))


def test_newest_first_by_dataset_and_task(tmp_path: Path) -> None:
    new = replace(OLD, page="b.html", made="2026-02-01T00:00:00+00:00", models="SLIM", task="next_store")
    page = added(tmp_path, OLD, new)
    everything = page.text.partition("Everything")[2]
    assert everything.index("SLIM") < everything.index("EASE")
    assert "Shop <b>: next store" in page.text
    assert "NDCG@10 0.5000" in page.text
    assert page.links == ["b.html", "a.html"] * 2
    assert "b" not in page.names


def test_deleted_pages_and_those_written_over_have_no_link(tmp_path: Path) -> None:
    later = replace(OLD, made="2026-02-01T00:00:00+00:00", models="EASE again")
    gone = replace(OLD, page="gone.html", models="Gone")
    added(tmp_path, OLD, later, gone)
    (tmp_path / "gone.html").unlink()
    page = added(tmp_path, replace(OLD, page="c.html", made="2026-03-01T00:00:00+00:00"))
    assert sorted(set(page.links)) == ["a.html", "c.html"]
    assert "EASE (page deleted or written over)" in page.text
    assert "Gone (page deleted or written over)" in page.text


def test_a_line_that_was_cut_off_loses_nothing_else(tmp_path: Path) -> None:
    added(tmp_path, OLD)
    with (tmp_path / "runs.jsonl").open("a") as journal:
        journal.write('{"page": "half\n')
    assert "2 runs" in added(tmp_path, replace(OLD, page="b.html")).text


def test_processes_at_once_lose_no_entry(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_add, [tmp_path] * 8, range(8)))
    assert {each.run_id for each in entries(tmp_path)} == {f"run{number}" for number in range(8)}
    assert ReadPage(tmp_path / "index.html").text.count("written over") == 8


def test_an_entry_names_the_best_of_several() -> None:
    several = entry_of(Path("p.html"), "Shop", RESULTS, "ndcg_at_10", "sweep")
    assert several.models == "EASE first of 5 (Popular, EASE, PersonalTop, SLIM, <b>$x$|&)"
    assert several.run_id == "sweep"
    assert entry_of(Path("p.html"), "Shop", GROUPED, "churn/brier").models.startswith("Table first of 3")
    assert entry_of(Path("p.html"), "Shop", GROUPED[:1], "unknown").value is None
