"""Progress: a bar in a terminal, lines in a log, silence where it is quick."""

import io
import logging
import sys

import pytest

from omniretail.core import progress as module
from omniretail.core.progress import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds; the test moves it."""
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_when_it_takes_long_and_every_half_minute(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in progress(range(10), "probes of churn"):
        clock[0] += 10
    assert caplog.messages == [
        "probes of churn: 1 of 10, about 90 s left".replace("90 s", "2 min"),
        "probes of churn: 4 of 10, about 60 s left",
        "probes of churn: 7 of 10, about 30 s left",
    ]


def test_what_is_quick_says_nothing(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in progress(range(10), "quick"):
        clock[0] += 0.2
    assert caplog.messages == []


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "SILENT_S", 0.0)
    assert list(progress([1, 2, 3], "numbers")) == [1, 2, 3]
    assert "numbers" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert caplog.messages == []
