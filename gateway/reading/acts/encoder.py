"""The encoder: a small transformer that reads the words of a mail in each other's light.

Forward pass only, with numpy. The weights are those of all-MiniLM-L6-v2 (Apache License 2.0; 6 layers) and of
multilingual-e5-small (Wang et al. 2024; MIT License; 12 layers), both with 12 heads and 384 wide, trained further for
this product (`gateway.training`). They are stored as octets with a scale a row and used as 32-bit floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

EPSILON = np.float32(1e-12)
HEADS = 12
EXTRA = ("vocabulary", "scores", "acts")
"""What is stored beside the weights."""
LARGE = 10_000
"""Matrices of more numbers than this are stored as octets."""
_GELU = np.float32(0.7978845608)
"""The square root of 2 / pi, of the GELU by tanh (Hendrycks and Gimpel 2016)."""


@dataclass(frozen=True)
class Rows:
    """A matrix stored as signed octets, each row with its scale."""

    octets: NDArray[np.int8]
    scales: Floats

    @classmethod
    def of(cls, matrix: Floats) -> Rows:
        scales = np.maximum(np.abs(matrix).max(1), 1e-12).astype(np.float32) / 127
        return cls(np.round(matrix / scales[:, None]).astype(np.int8), scales)

    def __getitem__(self, numbers: Numbers) -> Floats:
        return self.octets[numbers].astype(np.float32) * self.scales[numbers, None]

    def whole(self) -> Floats:
        return self.octets.astype(np.float32) * self.scales[:, None]


@dataclass(frozen=True)
class Linear:
    """x -> x W^T + b; `weight` has the shape (inputs, outputs)."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        return x @ self.weight + self.bias


@dataclass(frozen=True)
class Norm:
    """Layer normalisation."""

    gain: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        variance = np.mean(centred * centred, -1, keepdims=True)
        return centred / np.sqrt(variance + EPSILON) * self.gain + self.bias


@dataclass(frozen=True)
class Layer:
    """Self-attention, then the feed-forward part; each is added to what came in and normalised. Takes texts one after
    the other, each as many rows long as `lengths` says; a text sees nothing of the others."""

    attend: Linear
    """Queries, keys and values side by side: (width, 3 * width)."""
    join: Linear
    norm_attended: Norm
    widen: Linear
    narrow: Linear
    norm_out: Norm
    heads: int

    def __call__(self, x: Floats, lengths: Sequence[int]) -> Floats:
        texts = np.split(self.attend(x), np.cumsum(lengths)[:-1])
        attended = np.concatenate([self._attended(text) for text in texts])
        x = self.norm_attended(x + self.join(attended))
        return self.norm_out(x + self.narrow(_gelu(self.widen(x))))

    def _attended(self, text: Floats) -> Floats:
        length, width = len(text), text.shape[1] // 3
        each = width // self.heads
        queries, keys, values = text.reshape(length, 3, self.heads, each).transpose(1, 2, 0, 3)
        scores = queries @ keys.transpose(0, 2, 1) / np.float32(np.sqrt(each))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        return (scores @ values).transpose(1, 0, 2).reshape(length, width)


def _gelu(x: Floats) -> Floats:
    return np.float32(0.5) * x * (1 + np.tanh(_GELU * (x + np.float32(0.044715) * x * x * x)))


@dataclass(frozen=True)
class Encoder:
    """`__call__` takes the numbers of pieces and the segment of each (0: what was asked, 1: the answer), both of shape
    (length,), and gives the chance of every act at every piece: (length, acts), each from 0 to 1."""

    words: Rows
    places: Floats
    segments: Floats
    norm: Norm
    layers: tuple[Layer, ...]
    head: Linear

    def __call__(self, numbers: Numbers, segments: Numbers) -> Floats:
        (x,) = self.vectors([(numbers, segments)], len(self.layers))
        return np.float32(1) / (np.float32(1) + np.exp(-self.head(x)))

    def vectors(self, texts: Sequence[tuple[Numbers, Numbers]], layers: int) -> list[Floats]:
        """What the first `layers` layers make of each piece of each text: (length, width) a text. Many short texts at
        once cost little more than half of what they cost one by one."""
        lengths = [len(numbers) for numbers, _ in texts]
        numbers, segments = (np.concatenate(part) for part in zip(*texts, strict=True))
        places = np.concatenate([self.places[:length] for length in lengths])
        x = self.norm(self.words[numbers] + places + self.segments[segments])
        for layer in self.layers[:layers]:
            x = layer(x, lengths)
        return np.split(x, np.cumsum(lengths)[:-1])


def save_encoder(path: Path, weights: Mapping[str, Floats], extra: Mapping[str, NDArray[np.generic]]) -> None:
    """Store weights by name: large matrices as octets with a scale a row, the rest as 16-bit floats."""
    stored: dict[str, NDArray[np.generic]] = dict(extra)
    for name, matrix in weights.items():
        if matrix.ndim == 2 and matrix.size > LARGE:
            rows = Rows.of(matrix)
            stored[f"{name}.octets"], stored[f"{name}.scales"] = rows.octets, rows.scales
        else:
            stored[name] = matrix.astype(np.float16)
    np.savez_compressed(path, **stored)  # type: ignore[arg-type]


def load_encoder(path: Path) -> tuple[Encoder, Mapping[str, NDArray[np.generic]]]:
    """Read what `save_encoder` stored: the encoder, and whatever came with it."""
    with np.load(path, allow_pickle=False) as file:
        stored = {name: file[name] for name in file.files}

    def rows(name: str) -> Rows:
        return Rows(stored[f"{name}.octets"], stored[f"{name}.scales"])

    def floats(name: str) -> Floats:
        return rows(name).whole() if f"{name}.octets" in stored else stored[name].astype(np.float32)

    def linear(name: str) -> Linear:
        return Linear(np.ascontiguousarray(floats(f"{name}.weight").T), floats(f"{name}.bias"))

    def norm(name: str) -> Norm:
        return Norm(floats(f"{name}.weight"), floats(f"{name}.bias"))

    count = sum(name.startswith("layer.") and name.endswith(".join.bias") for name in stored)
    layers = tuple(
        Layer(
            linear(f"layer.{n}.attend"),
            linear(f"layer.{n}.join"),
            norm(f"layer.{n}.norm_attended"),
            linear(f"layer.{n}.widen"),
            linear(f"layer.{n}.narrow"),
            norm(f"layer.{n}.norm_out"),
            HEADS,
        )
        for n in range(count)
    )
    encoder = Encoder(rows("words"), floats("places"), floats("segments"), norm("norm"), layers, linear("head"))
    return encoder, {name: stored[name] for name in EXTRA if name in stored}
