"""Muon's step and the schedules, against what their papers say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.config import Recipe
from training.decoder import Decoder
from training.optim import Muon, lr_ratio, make_optimizers, orthogonalised


@pytest.mark.parametrize("shape", [(8, 8), (6, 30), (30, 6)])
def test_an_update_moves_every_direction_about_equally(shape: tuple[int, int]) -> None:
    """The singular values of a badly scaled matrix come near one; its directions stay."""
    generator = torch.Generator().manual_seed(4)
    left, _ = torch.linalg.qr(torch.randn(shape[0], min(shape), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(shape[1], min(shape), generator=generator))
    matrix = left @ torch.diag(torch.logspace(0, -1.5, min(shape))) @ right.T
    update = orthogonalised(matrix, 5, torch.float32)
    values = torch.diag(left.T @ update @ right)

    assert update.shape == matrix.shape
    assert bool(((values > 0.4) & (values < 1.4)).all())
    assert torch.allclose(update, left @ torch.diag(values) @ right.T, atol=1e-3)


def test_muon_has_the_matrices_of_the_blocks_and_adamw_the_rest(recipe: Recipe) -> None:
    """Embeddings, biases and norms are no business of Muon's, and no parameter is forgotten."""
    model = Decoder(recipe.model)
    muon, adam = make_optimizers(model, recipe.optim)
    owned = [{id(p) for group in one.param_groups for p in group["params"]} for one in (muon, adam)]
    matrices = {
        id(p) for name, p in model.named_parameters() if p.dim() == 2 and ".h." in f".{name}"
    }

    assert isinstance(muon, Muon)
    assert owned[0] == matrices
    assert owned[0] | owned[1] == {id(p) for p in model.parameters()}
    assert owned[0] & owned[1] == set()


def test_wsd_warms_up_stays_and_decays_to_zero(recipe: Recipe) -> None:
    """Two steps up, four at the peak, two down."""
    ratios = [lr_ratio(step, recipe) for step in range(8)]

    assert ratios == [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5]


def test_cosine_ends_at_its_floor(recipe: Recipe) -> None:
    """After the warm-up it starts at the peak and falls to the final ratio."""
    schedule = replace(recipe.schedule, kind="cosine", final_lr_ratio=0.1)
    cosine = replace(recipe, schedule=schedule)
    ratios = [lr_ratio(step, cosine) for step in range(9)]

    assert ratios[1:3] == [1.0, 1.0]
    assert ratios[2:] == sorted(ratios[2:], reverse=True)
    assert ratios[8] == pytest.approx(0.1)
