"""Programs that run on real data: python -m examples.digits, ..."""
