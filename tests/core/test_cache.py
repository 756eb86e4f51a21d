import multiprocessing
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from omniretail.core.cache import cached, digest


def fill(folder: Path) -> None:
    (folder / "a.txt").write_text("whole")


def fill_slowly(folder: Path) -> None:
    (folder / "a.txt").write_text("half")
    time.sleep(30)


def test_written_once_then_read(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        folder = cached(tmp_path, "key", lambda partial: (fill(partial), made.append(1)))
    assert (folder / "a.txt").read_text() == "whole"
    assert made == [1]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise ValueError("broken file")

    with pytest.raises(ValueError, match="broken file"):
        cached(tmp_path, "key", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_write_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=cached, args=(tmp_path, "key", fill_slowly))
    writer.start()
    for _ in range(200):
        if list(tmp_path.glob(".key.*/a.txt")):
            break
        time.sleep(0.05)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert (cached(tmp_path, "key", fill) / "a.txt").read_text() == "whole"


def test_what_a_kill_left_is_swept_away_a_day_later(tmp_path: Path) -> None:
    for name, age in ((".old.x.tmp", 2 * 24 * 3600), (".young.x.tmp", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    cached(tmp_path, "key", fill)
    assert {path.name for path in tmp_path.iterdir()} == {".young.x.tmp", "key"}


def test_two_runs_at_once_agree(tmp_path: Path) -> None:
    def other_run_is_faster(folder: Path) -> None:
        fill(folder)
        cached(tmp_path, "key", fill)

    folder = cached(tmp_path, "key", other_run_is_faster)
    assert (folder / "a.txt").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_unwritable_cache_says_which_setting_to_change(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(PermissionError, match="cache_dir="):
        cached(blocked, "key", fill)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_says_which_setting_to_change(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(PermissionError, match="cache_dir="):
        cached(tmp_path / "cache", "key", fill)


def test_digest_follows_content_and_settings(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    two.write_text("x")
    assert digest(one, {"a": 1}) == digest(two, {"a": 1})
    two.write_text("y")
    assert len({digest(one, {"a": 1}), digest(two, {"a": 1}), digest(one, {"a": 2}), digest({"a": 1}, one)}) == 4
