"""The derivative tables: every differentiable operation, with its derivative beside it."""
