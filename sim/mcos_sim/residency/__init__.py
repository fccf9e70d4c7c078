"""Which block of a cache of KV blocks leaves: policies that gates can run, and the optimum."""
