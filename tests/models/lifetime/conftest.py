"""CDNOW's first 39 weeks, and customers simulated with its published parameters."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from omniretail.core import engine
from omniretail.models.lifetime import BGNBD, GammaGamma
from omniretail.models.lifetime.simulation import simulated
from omniretail.sources.cdnow import CDNOW
from omniretail.views.profile.recency_frequency import recency_frequency


def published() -> tuple[BGNBD, GammaGamma]:
    return BGNBD.of(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258), GammaGamma.of(p=6.25, q=3.74, v=15.44)


def people(*rows: tuple[float, float, float], mean_value: float = 10.0) -> pd.DataFrame:
    """Customers by frequency, recency and age."""
    frame = pd.DataFrame(rows, columns=["frequency", "recency", "age"])
    return frame.assign(mean_value=np.where(frame.frequency > 0, mean_value, np.nan))


@pytest.fixture(scope="session")
def crowd() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return simulated(*published(), age=rng.uniform(20, 60, 60_000), rng=rng)


@pytest.fixture(scope="session")
def cdnow(data_root) -> pd.DataFrame:
    if not (data_root / "cdnow").is_dir():
        pytest.skip(f"{data_root / 'cdnow'} is not there: set OMNIRETAIL_DATA or run scripts/fetch.py")
    tables = CDNOW(data_root / "cdnow").read(engine.connect())
    customers = recency_frequency(tables.events, at=datetime(1997, 10, 1))
    return customers.order_by("user_id").to_pandas()
