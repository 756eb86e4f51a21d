"""Store visits, nearby stores, distances."""
