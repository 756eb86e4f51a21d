"""A probe that learns from few customers still predicts numbers for those who lie far outside."""

import numpy as np

from omniretail.profile.probing.linear_probes import RidgeProbe


def test_amounts_of_customers_far_outside_are_numbers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 2)) * 1e-3
    predict = RidgeProbe(penalties=(1e-3, 1e-2)).fit(x, np.expm1(5 + 1e3 * x[:, :1]), seed=0)
    far = predict(np.array([[5.0, 0.0], [-5.0, 0.0]]))[:, 0]
    assert np.isfinite(far).all()
    assert far[0] > 1e100
    assert far[1] == 0
