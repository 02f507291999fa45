"""Evaluation: what a model knows, writes and repeats, beside baselines and in one table."""

from training.evaluate.answerer import Answerer, Sampler, Scorer

__all__ = ["Answerer", "Sampler", "Scorer"]
