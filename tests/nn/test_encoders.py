import pytest
import torch
from torch import nn

from omniretail.nn.blocks import CausalAttention, stack
from omniretail.nn.encoders import GRUEncoder, TransformerEncoder
from omniretail.nn.hstu import HSTUEncoder, time_buckets

SIZES = (4, 3)


def made(kind: str, context_sizes: tuple[int, ...] = SIZES) -> nn.Module:
    torch.manual_seed(3)
    encoder: nn.Module
    if kind == "gru":
        encoder = GRUEncoder(20, 8, 12, 2, 0.2, context_sizes)
    elif kind == "hstu":
        encoder = HSTUEncoder(20, 8, 10, 2, 2, 0.2)
        for unit in encoder.blocks:
            nn.init.normal_(unit.inputs.weight)  # type: ignore[union-attr, arg-type]
    else:
        encoder = TransformerEncoder(20, 8, 10, 2, 2, 0.2, kind, context_sizes=context_sizes)  # type: ignore[arg-type]
    for table in encoder.modules():
        if isinstance(table, nn.Embedding):
            nn.init.normal_(table.weight)  # not so small that a change goes unseen
    return encoder.eval()


def drawn(n: int = 3, length: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    codes = [torch.randint(size, (n, length), generator=generator) for size in SIZES]
    return torch.randint(20, (n, length), generator=generator), torch.stack(codes, dim=-1)


CODES = ["classic", "ligr", "gru"]
every_encoder = pytest.mark.parametrize("kind", [*CODES, "hstu"])
every_encoder_of_codes = pytest.mark.parametrize("kind", CODES)


@every_encoder
@torch.inference_mode()
def test_what_comes_later_changes_no_state_before(kind: str) -> None:
    encoder, (items, context) = made(kind), drawn()
    states = encoder(items, context)
    assert states.shape == (3, 7, 8)
    for place in range(1, 7):
        later_items, later_context = items.clone(), context.clone()
        later_items[:, place:] = (items[:, place:] + 1) % 20
        later_context[:, place:] = (context[:, place:] + 1) % 3
        changed = encoder(later_items, later_context)
        torch.testing.assert_close(changed[:, :place], states[:, :place])
        assert ((changed[:, place:] - states[:, place:]).abs().amax(2) > 1e-3).all()


@every_encoder
@torch.inference_mode()
def test_padding_after_the_end_changes_nothing(kind: str) -> None:
    encoder, (items, context) = made(kind), drawn()
    alone = encoder(items[:, :4], context[:, :4])
    torch.testing.assert_close(encoder(items, context)[:, :4], alone, atol=1e-5, rtol=1e-5)


@every_encoder
@torch.inference_mode()
def test_a_row_depends_on_itself_alone(kind: str) -> None:
    encoder, (items, context) = made(kind), drawn()
    torch.testing.assert_close(encoder(items, context)[1:2], encoder(items[1:2], context[1:2]), atol=1e-5, rtol=1e-5)


@every_encoder
@torch.inference_mode()
def test_order_matters(kind: str) -> None:
    encoder, (items, context) = made(kind), drawn()
    swapped = items[:, [1, 0, *range(2, 7)]]
    assert (encoder(swapped, context)[:, -1] - encoder(items, context)[:, -1]).abs().amax() > 1e-3


@every_encoder
@torch.inference_mode()
def test_the_same_event_again_is_another_state(kind: str) -> None:
    encoder, same = made(kind), torch.ones(1, 7, dtype=torch.int64)
    states = encoder(same, torch.ones(1, 7, 2, dtype=torch.int64))
    assert ((states[:, 1:] - states[:, :-1]).abs().amax(2) > 1e-4).all()


@every_encoder_of_codes
@torch.inference_mode()
def test_each_circumstance_changes_the_state(kind: str) -> None:
    encoder, (items, context) = made(kind), drawn()
    states = encoder(items, context)
    for place in range(2):
        other = context.clone()
        other[..., place] = (other[..., place] + 1) % SIZES[place]
        assert ((encoder(items, other) - states).abs().amax(2) > 1e-4).all()


@every_encoder_of_codes
@torch.inference_mode()
def test_without_circumstances_there_are_no_tables_of_them(kind: str) -> None:
    encoder, (items, _) = made(kind, ()), drawn()
    assert not len(encoder.event.context)  # type: ignore[arg-type]
    assert encoder(items, torch.zeros(3, 7, 0, dtype=torch.int64)).shape == (3, 7, 8)


@every_encoder
def test_every_weight_learns(kind: str) -> None:
    encoder, (items, context) = made(kind), drawn()
    encoder(items, context).square().sum().backward()
    without = [name for name, weight in encoder.named_parameters() if weight.grad is None]
    assert without == []


@pytest.mark.parametrize("block", ["classic", "ligr"])
@torch.inference_mode()
def test_of_a_dropped_event_nothing_but_its_place_is_read(block: str) -> None:
    encoder, (items, context) = made(block), drawn()
    encoder.event_dropout = 1.0  # type: ignore[assignment]
    states = encoder(items, context)
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, CausalAttention):
            module.dropout = 0.0
    assert not torch.allclose(states[0], states[1])  # in use, all are read
    dropped = encoder.train()(items, context)
    torch.testing.assert_close(dropped, dropped[:1].expand_as(dropped))
    encoder.event_dropout = 0.5  # type: ignore[assignment]
    torch.manual_seed(0)
    assert (encoder(items, context)[:, 0] != dropped[:, 0]).any()


@pytest.mark.parametrize("block", ["classic", "ligr"])
def test_heads_divide_the_width(block: str) -> None:
    with pytest.raises(ValueError, match="heads=4 must divide dim=10"):
        stack(block, 1, dim=10, heads=4, dropout=0.0)  # type: ignore[arg-type]


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(ValueError, match=r"block='mamba' must be one of classic, ligr"):
        stack("mamba", 1, dim=8, heads=2, dropout=0.0)  # type: ignore[arg-type]


def test_buckets_of_time_grow_with_its_logarithm() -> None:
    buckets = time_buckets(torch.tensor([[1_700_000_000, 1_700_000_001, 1_700_000_002, 1_700_086_400]]))[0]
    assert buckets[0].tolist() == [0, 0, 2, 37]  # ln(86,400) / .301
    assert torch.equal(buckets, buckets.T)


@torch.inference_mode()
def test_units_weigh_by_lag_and_time() -> None:
    encoder, (items, _) = made("hstu"), drawn()
    seconds = torch.arange(7).expand(3, 7)[..., None]
    states = encoder(items, seconds)
    assert not torch.allclose(encoder(items, seconds * 1000)[:, 1:], states[:, 1:], atol=1e-5)
    for block in encoder.blocks:  # type: ignore[union-attr]
        block.by_lag.zero_()
    assert not torch.allclose(encoder(items, seconds)[:, 1:], states[:, 1:], atol=1e-5)
