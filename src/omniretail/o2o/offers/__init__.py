"""Who acts on an offer: response models trained on offers that are over, judged on offers to come."""
