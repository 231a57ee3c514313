"""The encoder's arithmetic, and how its weights are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gateway.reading.acts.encoder import Norm, Rows, load_encoder, save_encoder


def test_rows_lose_at_most_half_a_step() -> None:
    matrix = np.random.default_rng(1).normal(size=(50, 384)).astype(np.float32)
    lost = np.abs(Rows.of(matrix).whole() - matrix)
    assert (lost <= np.abs(matrix).max(1, keepdims=True) / 127 / 2 + 1e-6).all()


def test_a_row_of_nothing_stays_nothing() -> None:
    assert not Rows.of(np.zeros((2, 8), np.float32)).whole().any()


def test_normalised_means_mean_zero_and_deviation_one() -> None:
    found = Norm(np.ones(64, np.float32), np.zeros(64, np.float32))(np.arange(64, dtype=np.float32)[None] * 3 + 7)
    assert abs(found.mean()) < 1e-5
    assert abs(found.std() - 1) < 1e-4


def tiny(width: int = 24, heads_acts: int = 5) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(2)

    def some(*shape: int) -> np.ndarray:
        return draw.normal(scale=0.3, size=shape).astype(np.float32)

    weights = {"words": some(700, width), "places": some(40, width), "segments": some(2, width)}
    shapes = {"attend": (3 * width, width), "join": (width, width), "widen": (4 * width, width)}
    for name, shape in {**shapes, "narrow": (width, 4 * width)}.items():
        weights[f"layer.0.{name}.weight"], weights[f"layer.0.{name}.bias"] = some(*shape), some(shape[0])
    for name in ("norm", "layer.0.norm_attended", "layer.0.norm_out"):
        weights[f"{name}.weight"], weights[f"{name}.bias"] = np.ones(width, np.float32), np.zeros(width, np.float32)
    return weights | {"head.weight": some(heads_acts, width), "head.bias": some(heads_acts)}


def test_what_is_stored_is_read_again_and_every_piece_sees_the_others(tmp_path: Path) -> None:
    extra = {name: np.frombuffer(name.encode(), np.uint8) for name in ("vocabulary", "acts")}
    save_encoder(tmp_path / "tiny.npz", tiny(), extra)
    encoder, more = load_encoder(tmp_path / "tiny.npz")
    assert more["acts"].tobytes() == b"acts"
    segments = np.array([0, 1, 1, 1])
    one, other = encoder(np.array([1, 2, 3, 4]), segments), encoder(np.array([600, 2, 3, 4]), segments)
    assert one.shape == (4, 5)
    assert ((one > 0) & (one < 1)).all()
    assert not np.allclose(one[3], other[3]), "the last piece knows nothing of the first"
    assert (one == encoder(np.array([1, 2, 3, 4]), segments)).all(), "not the same twice"
