"""Packed sequences against the same sequences one by one, laid out in full."""

import pytest
import torch
from torch import Tensor, nn

from omniretail.nn.blocks import CausalAttention
from omniretail.nn.dropout import ByteDropout
from omniretail.nn.encoders import FrequencyEncoder
from omniretail.nn.frequency import FrequencyBlock, FrequencyFilter, PackedAttention
from omniretail.nn.packed import Packed, laid_out

LENGTHS = torch.tensor([1, 1, 2, 4, 4, 5, 9])


def drawn(dim: int = 8) -> tuple[Packed, Tensor]:
    packed = Packed.of(LENGTHS)
    return packed, torch.randn(int(LENGTHS.sum()), dim, generator=torch.Generator().manual_seed(1))


def one_by_one(packed: Packed, events: Tensor) -> list[Tensor]:
    return [events[packed.row == row] for row in range(len(packed.length))]


def test_places_by_hand() -> None:
    packed = Packed.of(torch.tensor([1, 3]))
    assert packed.row.tolist() == [0, 1, 1, 1]
    assert packed.column.tolist() == [0, 0, 1, 2]
    assert (packed.last.tolist(), packed.from_end.tolist()) == ([0, 3], [0, 2, 1, 0])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_groups_hold_every_event_once_in_its_place(n: int) -> None:
    packed = Packed.of(LENGTHS[:n])
    events = torch.arange(float(LENGTHS[:n].sum()))[:, None] + 1
    rows = [row[row > 0] for part, *place in packed.groups() for row in laid_out(events[part], *place).squeeze(-1)]
    assert [row.tolist() for row in rows] == [each.squeeze(1).tolist() for each in one_by_one(packed, events)]


@pytest.mark.parametrize("max_len", [9, 10, 16])
@pytest.mark.parametrize("c", [1, 4, 5, 40])
def test_the_filter_is_that_of_a_fourier_transform(max_len: int, c: int) -> None:
    packed, events = drawn()
    layer = FrequencyFilter(8, max_len, c)
    filtered = one_by_one(packed, layer(events, packed))
    for mine, made in zip(one_by_one(packed, events), filtered, strict=True):
        padded = torch.cat([torch.zeros(max_len - len(mine), 8), mine])
        spectrum = torch.fft.rfft(padded, dim=0, norm="ortho")
        spectrum[c // 2 + 1 :] = 0
        low = torch.fft.irfft(spectrum, n=max_len, dim=0, norm="ortho")[max_len - len(mine) :]
        torch.testing.assert_close(made, low + layer.root_of_factor**2 * (mine - low), atol=1e-5, rtol=1e-4)


def test_attention_is_that_of_each_sequence_alone() -> None:
    packed, events = drawn()
    torch.manual_seed(0)
    layer, alone = PackedAttention(8, 2, 0.0), CausalAttention(8, 2, 0.0)
    alone.load_state_dict({name: value for name, value in layer.state_dict().items() if "dropout" not in name})
    for mine, made in zip(one_by_one(packed, events), one_by_one(packed, layer(events, packed)), strict=True):
        torch.testing.assert_close(made, alone(mine[None], mine[None])[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "layer", [FrequencyFilter(8, 10, 3), PackedAttention(8, 2, 0.0), FrequencyBlock(8, 2, 0.0, 0.0, 10, 0.7, 3)]
)
def test_the_last_state_alone_is_the_last_of_all(layer: nn.Module) -> None:
    packed, events = drawn()
    torch.testing.assert_close(layer.last(events, packed), layer(events, packed)[packed.last], atol=1e-5, rtol=1e-4)  # type: ignore[operator]


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_a_state_depends_on_its_sequence_alone(n_blocks: int) -> None:
    torch.manual_seed(0)
    encoder = FrequencyEncoder(20, 8, 10, n_blocks, 2, 0.3, 0.3, 0.7, 5).eval()
    packed, items = Packed.of(LENGTHS), torch.arange(int(LENGTHS.sum())) % 20
    states = encoder(items, packed)
    for row, mine in enumerate(one_by_one(packed, items)):
        alone = encoder(mine, Packed.of(LENGTHS[row : row + 1]))
        torch.testing.assert_close(states[row : row + 1], alone, atol=1e-5, rtol=1e-4)


def test_alpha_zero_is_attention_alone() -> None:
    packed, events = drawn()
    block = FrequencyBlock(8, 2, 0.0, 0.0, 10, alpha=0.0, c=3)
    before = block(events, packed)
    nn.init.ones_(block.filter.root_of_factor)
    torch.testing.assert_close(block(events, packed), before)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 1.0])
def test_byte_dropout_zeroes_its_share_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    layer = ByteDropout(p)
    dropped = layer(torch.ones(301, 333))
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1.0 if p < 1 else 0.0, abs=0.02)
    assert len(dropped.unique()) <= 2
    assert not torch.equal(dropped == 0, layer(torch.ones(301, 333)) == 0) or p in (0, 1)
    torch.testing.assert_close(layer.eval()(dropped), dropped)
