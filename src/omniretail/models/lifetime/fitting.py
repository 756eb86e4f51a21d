"""Maximum likelihood on the logarithms of positive parameters; a fit without a peak is refused with its reason."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from omniretail.core.errors import DataError

_FAR = 10.0  # logarithm: a parameter 22,000 times its natural size is on its way to infinity
_FLAT = 1e-5  # a slope per customer that counts as zero

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


class NotConvergedError(DataError):
    """The likelihood has no peak; the message says why and names a way out."""


def maximise(objective: Objective, names: Sequence[str], penalty: float, why: str) -> np.ndarray:
    """The parameters under which the data are most probable.

    Args:
        objective: mean log-likelihood per customer and its gradient by the parameters, which are positive and scaled so
            that 1 is a typical size.
        names: of the K parameters, for messages.
        penalty: times the sum of squared log-parameters, taken off the mean log-likelihood; a log-normal prior around 1
            on each parameter.
        why: the likely reason where there is no peak.

    Returns:
        Shape (K,).

    Raises:
        NotConvergedError: where a parameter grows or shrinks without end, or the search stops on a slope.
    """

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(np.exp(theta))
        return float(penalty * theta @ theta - value), 2 * penalty * theta - gradient * np.exp(theta)

    options = {"maxiter": 2000, "maxfun": 5000, "ftol": 0.0, "gtol": 1e-9, "maxcor": 20}
    bounds = [(-_FAR, _FAR)] * len(names)
    fit = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    _require_peak(fit.x, fit.jac, names, why)
    return np.exp(fit.x)


def _require_peak(theta: np.ndarray, slope: np.ndarray, names: Sequence[str], why: str) -> None:
    far = np.abs(theta) > 0.9 * _FAR
    if far.any():
        runaways = " and ".join(
            f"{name} {'grows' if theta[n] > 0 else 'shrinks'}" for n, name in enumerate(names) if far[n]
        )
        raise NotConvergedError(f"the fit has no peak: {runaways} without end, since {why}; {_WAY_OUT}")
    if not np.abs(slope).max() < _FLAT:
        raise NotConvergedError(f"the fit stopped before the peak (slope {np.abs(slope).max():.1e}); {_WAY_OUT}")


_WAY_OUT = "fit more or more varied customers, or set a penalty such as 0.001 or, if need be, a larger one"
