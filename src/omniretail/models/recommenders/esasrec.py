"""eSASRec: SASRec with gated blocks and a softmax over sampled negatives."""

from dataclasses import dataclass

from omniretail.models.recommenders.sasrec import SASRec
from omniretail.nn.blocks import Block


@dataclass(eq=False)
class ESASRec(SASRec):
    """Enhanced SASRec (Tikhonovich et al., RecSys 2025): ``SASRec``, which explains the settings, by other defaults."""

    dim: int = 128
    heads: int = 4
    dropout: float = 0.2
    block: Block = "ligr"
    loss: str = "sampled_softmax"
    n_negatives: int = 256
