"""Damaged files: each is read with its losses counted, or refused in one sentence."""

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.csv import CSV
from omniretail.sources.protocol import load

N_MUTATIONS = 300
CELLS = [
    *("", " ", "NA", "null", "true", "007", "7", "7.0", " 7 ", "-1", "1e400", "nan", "inf", "0x10", "🍵", "x" * 10_000),
    *("1900-01-01", "2200-01-01", "0000-00-00", "2024-02-30", "31/05/2024", "2024-05-31T25:00", "99999999999999999999"),
    *(
        '"',
        '""',
        "'",
        ",",
        ";",
        "\t",
        "\0",
        "\r",
        "\n",
        "\ufeff",
        "\u202e",
        "[1, 2]",
        "{}",
        "=1+1",
        "${x}",
        "%s",
        "\\N",
    ),
]


def valid() -> pd.DataFrame:
    days = pd.date_range("2024-01-01 08:00", periods=40, freq="13h").astype(str)
    return pd.DataFrame(
        {
            "user_id": [str(n % 7) for n in range(40)],
            "item_id": [f"i{n % 11}" for n in range(40)],
            "timestamp": days,
            "quantity": [str(n % 3 + 1) for n in range(40)],
            "value": [f"{n / 4}" for n in range(40)],
        }
    )


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, inserted, cut out, doubled or cut off."""
    for _ in range(rng.randint(1, 4)):
        a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        b = min(b, a + rng.choice([1, 2, 8, 200]))
        noise = rng.choice([bytes(rng.randrange(256) for _ in range(3)), *(cell.encode() for cell in CELLS[-17:])])
        data = (
            rng.choice(
                [
                    data[:a] + noise + data[b:],
                    data[:a] + noise + data[a:],
                    data[:a] + data[b:],
                    data[:b] + data[a:],
                    data[:a],
                ]
            )
            or b"\0"
        )
    return data


def damaged_frame(frame: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    """Columns lost, renamed, moved or of another type, and cells of all sorts."""
    frame = frame.copy()
    for _ in range(rng.randint(1, 3)):
        if not len(frame.columns):
            break
        name = rng.choice(list(frame.columns))
        match rng.randrange(6):
            case 0:
                frame = frame.drop(columns=name)
            case 1:
                frame = frame.rename(
                    columns={name: rng.choice([name.upper(), f" {name}", "x", "", "user_id ", "客户"])}
                )
            case 2:
                frame[name] = [rng.choice(CELLS) for _ in range(len(frame))]
            case 3:
                frame = frame.head(rng.choice([0, 1, 5]))
            case 4:
                frame[name] = rng.choice([None, 1.5, True, float("inf"), 2**62, "a", b"\xff\xfe", pd.Timestamp.max])
            case _ if len(frame):
                place = rng.randrange(len(frame))
                frame[name] = [rng.choice(CELLS) if n == place else each for n, each in enumerate(frame[name])]
            case _:
                pass
    return frame


def csv_file(path: Path, rng: random.Random) -> Path:
    frame = damaged_frame(valid(), rng) if rng.random() < 0.4 else valid()
    data = frame.to_csv(index=False).encode()
    path = path.with_suffix(".csv")
    path.write_bytes(data if rng.random() < 0.2 else damaged_bytes(data or b"\n", rng))
    return path


def parquet_file(path: Path, rng: random.Random) -> Path:
    path = path.with_suffix(".parquet")
    whole = rng.random() < 0.6
    frame = damaged_frame(valid(), rng) if whole else valid()
    try:
        frame.to_parquet(path, index=False)
    except Exception:  # a frame that cannot be written is no file
        valid().to_parquet(path, index=False)
    if not whole:
        path.write_bytes(damaged_bytes(path.read_bytes(), rng))
    return path


@pytest.mark.parametrize("n", [40, pytest.param(N_MUTATIONS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("write", [csv_file, parquet_file])
def test_a_damaged_file_is_read_or_refused(tmp_path, write: Callable[[Path, random.Random], Path], n: int) -> None:
    refused = 0
    for seed in range(n):
        path = write(tmp_path / f"log{seed}", random.Random(seed))
        try:
            tables = load(CSV(path), tmp_path / "cache")
        except DataError as error:
            sentence = str(error)
            assert sentence.strip(), seed
            assert "\n" not in sentence, (seed, sentence)
            assert len(sentence) < 1_500, (seed, sentence)
            refused += 1
            continue
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
        assert engine.count(tables.events) > 0, seed
        assert all(rows >= 0 for rows in tables.drops.values()), seed
    assert n / 5 < refused < n
