"""Measures the pipeline against a hand-written script and a pandas script, and how a run and a query scale."""
