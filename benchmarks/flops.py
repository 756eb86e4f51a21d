"""Floating-point operations of a loss and its gradients, and the rate that the machine reaches."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks.arguments import seconds


def matmul_rate(size: int = 2048, repeat: int = 10) -> float:
    """Operations per second of a square product in float32, the best of several."""
    left, right = torch.randn(2, size, size)
    return 2 * size**3 / min(seconds(partial(torch.mm, left, right)) for _ in range(repeat))


def flops(loss: Callable[[], torch.Tensor]) -> float:
    """Operations of the matrix products in a loss and its gradients; additions, exponentials and look-ups are free."""
    with FlopCounterMode(display=False, custom_mapping=_COUNTS) as counter:
        loss().backward()
    return counter.get_total_flops()


def _with_tensors(count: Callable[..., int]) -> Any:
    """Let the counter pass tensors rather than shapes, which do not say what a sparse product costs."""
    setattr(count, "_get_raw", True)  # noqa: B010  (torch reads it)
    return count


@_with_tensors
def _mm(left: torch.Tensor, right: torch.Tensor, *_: Any, **__: Any) -> int:
    entries = left._nnz() if left.layout == torch.sparse_csr else left.numel()
    return 2 * entries * right.shape[1]


@_with_tensors
def _addmm_in_place(_: torch.Tensor, left: torch.Tensor, right: torch.Tensor, **__: Any) -> int:
    return 2 * left.numel() * right.shape[1]


# What torch 2.13 counts wrongly: a sparse product as if it were dense (LightGCN), and not at all a product added in
# place (the third of nn.softmax's 3 x 2 x P x I x D) and attention fused for the CPU.
_COUNTS = {
    torch.ops.aten.mm: _mm,
    torch.ops.aten.addmm_: _addmm_in_place,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda grad, q, k, v, *_, **__: sdpa_backward_flop_count(grad, q, k, v)
    ),
}
