"""Online to offline: offers, uplift, stores, allocation, effects."""
