"""Training of neural models by PyTorch Lightning, one way for all of them."""

from omniretail.models.training.settings import Training, TrainingError

__all__ = ["Training", "TrainingError"]
