"""Dropout whose random numbers cost an eighth."""

import torch
from torch import Tensor, nn


class ByteDropout(nn.Module):
    """Zero a share of the entries in training, and scale the others so that sums stay.

    PyTorch draws a number per entry, which takes longer than a small layer; here each entry gets a byte of one.

    Args:
        p: the share, rounded to 1/256.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p, self._below = p, round(_BYTES * p)

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape; gives the same shape."""
        if not (self.training and self._below):
            return inputs
        if self._below == _BYTES:
            return 0 * inputs
        n = inputs.numel()
        numbers = torch.empty(-(-n // 8), dtype=torch.int64, device=inputs.device).random_(_LOWEST, None)
        keep = numbers.view(torch.uint8)[:n].view(inputs.shape) >= self._below
        return inputs * (keep * (_BYTES / (_BYTES - self._below))).to(inputs.dtype)


_BYTES = 256
_LOWEST = torch.iinfo(torch.int64).min
