"""The power governor: a model of its account, a rate-level fabric around it, and its figures."""
