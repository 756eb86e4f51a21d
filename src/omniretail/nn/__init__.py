"""Parts of neural networks in plain torch: encoders, losses, graphs; no configuration, files or tables."""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "neural models need PyTorch and Lightning; install them with: pip install 'omniretail[neural]'"
    ) from error
