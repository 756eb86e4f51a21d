"""Encoders beside each other: who is best at a question, and who cannot be told from the best."""

import numpy as np
import pytest

from omniretail.report.tables.probing import probe_cells, probe_comparison
from tests.registry.factories import embeddings


def test_encoders_side_by_side() -> None:
    made = {"Good": (0.3, 0.3), "Twin": (0.3, 3.0), "Bad": (3.0, 3.0)}
    results = [embeddings({"age": age, "spend": spend}, model=name) for name, (age, spend) in made.items()]
    table = probe_comparison(results).set_index(["model", "question"])
    assert table.p_best.isna().groupby("question").sum().to_dict() == {"age": 1, "spend": 1}
    assert np.isnan(table.p_best["Good", "spend"])
    assert table.p_best["Bad", "age"] < 0.001
    assert table.p_best["Twin", "age"] == 1
    assert table.p_best["Twin", "spend"] == pytest.approx(table.p_best["Bad", "spend"])
    text = probe_cells(table.reset_index()).set_index("model")
    assert text.loc["Good", "spend ρ"].startswith("**")
    assert text.loc["Twin", "age AUC"].endswith("†")
    assert not text.loc["Bad", "age AUC"].endswith("†")
