"""Answers requests with a kept model: what a service runs. It imports nothing that is for learning alone."""

from omniretail.serving.pyfunc import _load_pyfunc

__all__ = ["_load_pyfunc"]
