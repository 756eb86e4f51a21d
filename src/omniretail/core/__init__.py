"""What everything rests on: errors, the table engine, the cache, metering of resources, hooks on epochs."""
