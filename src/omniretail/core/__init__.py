"""The base of the package: errors, the table engine, the cache, metering of resources, hooks on epochs."""
