"""Probing: small models predict who customers are and what they do next from frozen embeddings."""
