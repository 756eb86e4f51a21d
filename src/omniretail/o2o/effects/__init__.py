"""Effects of distance and channel on visits and baskets, each a number with a standard error."""
