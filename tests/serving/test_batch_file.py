"""Files of requests: answered in pieces, in order, and gone on with after a stop."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.ids import Vocabulary
from omniretail.serving.batch_file import answer_file
from omniretail.serving.pyfunc import load_service
from omniretail.serving.recommender import RecommenderService
from tests.conftest import ROOT
from tests.serving.factories import NAMED, bundle, service
from tests.serving.factories import rows as request_rows

USERS = pd.DataFrame({"user_id": np.random.default_rng(0).integers(0, 7, 100)})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RecommenderService:
    return service(tmp_path_factory.mktemp("town") / "saved")


class Stopping:
    """Answers so often, then falls over."""

    def __init__(self, whole: RecommenderService, pieces: int) -> None:
        self.whole, self.left = whole, pieces

    def example(self) -> pd.DataFrame:
        return self.whole.example()

    def text_fields(self) -> set[str]:
        return self.whole.text_fields()

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.whole.predict(frame)


def test_every_row_is_answered_in_order(town: RecommenderService, tmp_path: Path) -> None:
    USERS.to_parquet(tmp_path / "users.parquet")
    assert answer_file(town, "m", tmp_path / "users.parquet", tmp_path / "out.parquet", rows=30) == 100
    answers = pd.read_parquet(tmp_path / "out.parquet")
    assert answers.user_id.tolist() == USERS.user_id.tolist()
    assert [each.tolist() for each in answers.item_ids] == town.predict(USERS).item_ids.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "users.parquet"]


def test_nested_fields_come_from_parquet_as_from_json(town: RecommenderService, tmp_path: Path) -> None:
    requests = pd.DataFrame(
        {
            "user_id": [None, 0.0, None],
            "history": [[{"item_id": 3, "value": 2.0}, {"item_id": 1, "value": None}], None, []],
            "filters": [{"category": ["c1"]}, {"category": None}, None],
        }
    )
    requests.to_parquet(tmp_path / "in.parquet")
    answer_file(town, "m", tmp_path / "in.parquet", tmp_path / "out.parquet")
    answers = pd.read_parquet(tmp_path / "out.parquet")
    assert set(answers.item_ids[0]) == {1, 4}
    assert answers.fallback.fillna("").tolist() == ["", "", "popular"]


def test_stopped_and_started_again_only_what_is_missing_is_asked(town: RecommenderService, tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    USERS.to_parquet(source)
    with pytest.raises(KeyboardInterrupt):
        answer_file(Stopping(town, 2), "m", source, target, rows=30)
    assert not target.exists()
    answer_file(Stopping(town, 2), "m", source, target, rows=30)  # two of four were there
    assert len(pd.read_parquet(target)) == 100


def test_pieces_of_another_model_or_input_are_not_gone_on_with(town: RecommenderService, tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    USERS.to_parquet(source)
    with pytest.raises(KeyboardInterrupt):
        answer_file(Stopping(town, 2), "m", source, target, rows=30)
    with pytest.raises(KeyboardInterrupt):  # all four are asked anew
        answer_file(Stopping(town, 3), "another", source, target, rows=30)
    USERS[::-1].to_parquet(source)
    answer_file(town, "another", source, target, rows=30)
    assert pd.read_parquet(target).user_id.tolist() == USERS.user_id.tolist()[::-1]


def test_a_wrong_request_is_told_with_its_rows(town: RecommenderService, tmp_path: Path) -> None:
    USERS.assign(k=[3] * 99 + [0]).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(ValueError, match="rows 91 to 100: k: a whole number from 1 to 6 is expected, not 0"):
        answer_file(town, "m", tmp_path / "in.parquet", tmp_path / "out.parquet", rows=30)


def test_no_file_and_no_parquet_are_named(town: RecommenderService, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nobody\.parquet is not there"):
        answer_file(town, "m", tmp_path / "nobody.parquet", tmp_path / "out.parquet")
    (tmp_path / "text.parquet").write_text("user_id\n1\n")
    with pytest.raises(ValueError, match=r"text\.parquet is no Parquet file"):
        answer_file(town, "m", tmp_path / "text.parquet", tmp_path / "out.parquet")


def test_csv_is_read_as_parquet_is(town: RecommenderService, tmp_path: Path) -> None:
    lines = ["user_id,k,history,filters", "1,2,,", ',,"[3, 1]","{""category"": [""c1""]}"', ",3,[],"]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    assert answer_file(town, "m", tmp_path / "in.csv", tmp_path / "out.parquet", rows=2) == 3
    answers = pd.read_parquet(tmp_path / "out.parquet")
    requests = [{"user_id": 1, "k": 2}, {"history": [3, 1], "filters": {"category": ["c1"]}}, {"history": [], "k": 3}]
    assert [each.tolist() for each in answers.item_ids] == town.predict(request_rows(*requests)).item_ids.tolist()
    assert answers.user_id.fillna(-1).tolist() == [1, -1, -1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.parquet"]


def test_ids_that_are_text_stay_text_in_csv(tmp_path: Path) -> None:
    users = Vocabulary(pd.Index([f"00{number}" for number in range(len(NAMED.users))]))
    texts = service(tmp_path / "saved", train=replace(NAMED, users=users))
    assert texts.text_fields() >= {"user_id", "channel"}
    (tmp_path / "in.csv").write_text("user_id\n001\n002\n")
    assert answer_file(texts, "m", tmp_path / "in.csv", tmp_path / "out.parquet") == 2
    assert pd.read_parquet(tmp_path / "out.parquet").user_id.tolist() == ["001", "002"]


def test_what_is_wrong_in_csv_is_named(town: RecommenderService, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("user_id,k\n1,2\n2,many\n")
    with pytest.raises(ValueError, match="rows 1 to 2: k: a whole number from 1 to 6 is expected, not 'many'"):
        answer_file(town, "m", source, tmp_path / "out.parquet")
    source.write_text("user_id,k\n1,2,3,4\n5,6,7,8,9\n")
    with pytest.raises(ValueError, match=r"in\.csv cannot be read as CSV"):
        answer_file(town, "m", source, tmp_path / "out.parquet")
    with pytest.raises(ValueError, match=r"is written as Parquet: set output=.*out\.parquet"):
        answer_file(town, "m", source, tmp_path / "out.csv")


def test_two_at_once_do_not_share_an_output(town: RecommenderService, tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    USERS.to_parquet(source)

    class Meanwhile(Stopping):
        def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
            with pytest.raises(ValueError, match=r"out\.parquet is being written by another process"):
                answer_file(town, "another", source, target, rows=50)
            return self.whole.predict(frame)

    assert answer_file(Meanwhile(town, 0), "m", source, target, rows=30) == 100
    assert [each.tolist() for each in pd.read_parquet(target).item_ids] == town.predict(USERS).item_ids.tolist()


def test_an_input_that_changes_meanwhile_gives_no_output(town: RecommenderService, tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    USERS.to_parquet(source)

    class Changing(Stopping):
        def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
            os.utime(source, (0, 0))
            return self.whole.predict(frame)

    with pytest.raises(ValueError, match=r"in\.parquet was changed while it was answered; run the command again"):
        answer_file(Changing(town, 0), "m", source, target, rows=30)
    assert not target.exists()


def test_an_empty_file_gives_an_empty_one(town: RecommenderService, tmp_path: Path) -> None:
    USERS[:0].to_parquet(tmp_path / "in.parquet")
    assert answer_file(town, "m", tmp_path / "in.parquet", tmp_path / "out.parquet") == 0
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 0


SLOWLY = """
import sys, time
from pathlib import Path
from omniretail.serving.pyfunc import load_service
from omniretail.ids import Vocabulary
from omniretail.serving.batch_file import answer_file
town = load_service(Path(sys.argv[1]))
class Slow:
    text_fields = town.text_fields
    def predict(self, frame):
        time.sleep(float(sys.argv[4]))
        return town.predict(frame)
answer_file(Slow(), "m", Path(sys.argv[2]), Path(sys.argv[3]), rows=5)
"""


def test_killed_without_warning_it_goes_on_and_ends_as_if_never_killed(tmp_path: Path) -> None:
    source, target, saved = tmp_path / "in.parquet", tmp_path / "out.parquet", bundle(tmp_path / "saved")
    USERS.to_parquet(source)
    command = [sys.executable, "-c", SLOWLY, str(saved), str(source), str(target)]
    running = subprocess.Popen([*command, "0.2"], cwd=ROOT)
    parts = tmp_path / "out.parquet.parts"
    while len(list(parts.glob("*.parquet"))) < 3:
        assert running.poll() is None
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not target.exists()
    subprocess.run([*command, "0"], check=True, cwd=ROOT)
    expected = load_service(saved).predict(USERS).item_ids.tolist()
    assert [each.tolist() for each in pd.read_parquet(target).item_ids] == expected
