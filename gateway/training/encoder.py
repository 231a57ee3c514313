"""Trains a model of the second reader: a published encoder, trained further to tell the acts of each sentence.

The words' own vectors are not trained: what the model keeps of single words is what was published, so that no name and
no address of the mail it learns from can be read off them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gateway.reading.acts.acts import ACTS
from gateway.reading.acts.encoder import Floats, Norm, load_encoder, save_encoder
from gateway.reading.acts.model import WINDOW_PIECES
from gateway.reading.answers import questions_in
from gateway.training.bases import PLACES, Base
from gateway.training.texts import Text

BATCH = 24
QUESTION_PIECES = 32
"""Pieces of what was asked that are learnt with."""
WITHOUT_QUESTION = 0.9
"""Share of windows that are learnt from without what was asked, as the product reads. The rest learn what an answer is
from what it answers."""
TOLD = 0.75
"""Share of the windows without what was asked of which it is told whom the mail goes to, where that is known."""
MOST_WINDOWS = 2
"""Windows without any act that are taken of one long mail in an epoch."""
RARE = {"out_of_scope": 2.0, "escalation_offer": 2.0, "dismissive": 2.0, "redirect": 2.0}
USUAL = 1.0
"""How much more an act counts than its absence. More than this finds more, and takes plain help for a no; the first
goes of the shipped weights had 4 and 2, for most sentences do none of them."""


@dataclass(frozen=True)
class Window:
    """`numbers` are pieces, `head` of them before the answer; `owner` tells of each piece its row of `truth`, or -1.
    `truth` and `weight` have the shape (sentences, acts); `to` is the piece that tells whom the mail goes to."""

    numbers: list[int]
    head: int
    owner: list[int]
    truth: Floats
    weight: Floats
    to: int | None = None

    def unasked(self, first: int, between: int, *, told: bool) -> Window:
        """The same without the question, as the product reads; `told` whom it goes to, where that is known."""
        head = [first, *([self.to] if told and self.to is not None else ()), between]
        numbers, owner = self.numbers[self.head :], self.owner[self.head :]
        return replace(self, numbers=head + numbers, head=len(head), owner=[-1] * len(head) + owner)


def windows(text: Text, base: Base) -> list[Window]:
    """Cut a text into windows as the product does."""
    runs: list[list[tuple[int, list[int]]]] = [[]]
    for number, sentence in enumerate(text.sentences):
        pieces = base.pieces.cut(text.text, sentence.start, sentence.end, WINDOW_PIECES, text.lang)
        if runs[-1] and sum(len(its) for _, its in runs[-1]) + len(pieces) > WINDOW_PIECES:
            runs.append([])
        if pieces:
            runs[-1].append((number, [piece.number for piece in pieces]))
    head = [base.first, *asked_pieces(text, base), base.between]
    to = base.addressees[text.to] if text.to else None
    return [_window(text, run, head, base.between, to) for run in runs if run]


def _window(text: Text, run: list[tuple[int, list[int]]], head: list[int], between: int, to: int | None) -> Window:
    numbers, owner = list(head), [-1] * len(head)
    truth = np.zeros((len(run), len(ACTS)), np.float32)
    weight = np.zeros_like(truth)
    for row, (number, found) in enumerate(run):
        numbers += found
        owner += [row] * len(found)
        acts = text.sentences[number].acts
        for column, act in enumerate(ACTS):
            truth[row, column] = act in acts
            weight[row, column] = 1.0 if act in acts else text.weights[act]
    return Window([*numbers, between], len(head), [*owner, -1], truth, weight, to)


def asked_pieces(text: Text, base: Base) -> list[int]:
    """The pieces of what was asked, by number: of the questions and wishes in it, else of how it begins."""
    prepared, found = text.asked.prepared, list[int]()
    body = (number for number, sentence in enumerate(prepared.sentences) if sentence.kind == "body")
    for number in questions_in(text.asked) or body:
        sentence = prepared.sentences[number]
        left = QUESTION_PIECES - len(found)
        pieces = base.pieces.cut(prepared.text, sentence.start, sentence.end, left, text.lang)
        found += [piece.number for piece in pieces]
        if len(found) >= QUESTION_PIECES:
            break
    return found


class Tagger(nn.Module):
    """The encoder with a row of chances at every piece; a sentence has the mean of its pieces, before the sigmoid."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        self.encoder = base.encoder
        for layer in self.encoder.encoder.layer:
            layer.intermediate.intermediate_act_fn = nn.GELU(approximate="tanh")
        for weights in self.encoder.embeddings.parameters():
            weights.requires_grad = False
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(self.encoder.config.hidden_size, len(ACTS))

    def forward(self, numbers: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        found = self.encoder(input_ids=numbers, attention_mask=mask, token_type_ids=segments)
        return self.head(self.dropout(found.last_hidden_state))


def train(
    tagger: Tagger, base: Base, texts: Sequence[tuple[Text, float]], *, epochs: int, rate: float
) -> Iterator[float]:
    """Train; gives the mean loss of each epoch. A text comes with how often it is learnt from in an epoch: one of 0.3
    in three epochs of ten. `rate` is the highest learning rate (linear up over a tenth, then down; AdamW, Loshchilov
    and Hutter 2019)."""
    cut = [(windows(text, base), often) for text, often in texts]
    steps = epochs * (len(_epoch(cut, base)) // BATCH + 2)
    groups = [
        {"params": [p for p in tagger.encoder.parameters() if p.requires_grad], "lr": rate},
        {"params": tagger.head.parameters(), "lr": rate * 8},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.1 * steps), max(0.0, (steps - step) / (0.9 * steps)))
    )
    wanted = torch.tensor([RARE.get(act, USUAL) for act in ACTS])
    tagger.train()
    for _ in range(epochs):
        losses = []
        for batch in _batches(_epoch(cut, base)):
            numbers, mask, segments, owner, truth, weight = _tensors(batch)
            with torch.autocast("cpu", torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported()):
                found = tagger(numbers, mask, segments)
            each = nn.functional.binary_cross_entropy_with_logits(
                owner @ found.float(), truth, reduction="none", pos_weight=wanted
            )
            loss = (each * weight).sum() / (weight.sum() / len(ACTS) + 1e-6)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        yield sum(losses) / len(losses)


def _epoch(cut: Sequence[tuple[Sequence[Window], float]], base: Base) -> list[Window]:
    """The windows of one epoch, of long mails that do nothing only some."""
    chosen: list[Window] = []
    for its, often in cut:
        for _ in range(int(often + random.random())):
            dull = [window for window in its if not window.truth.any()]
            chosen += [window for window in its if window.truth.any()]
            chosen += random.sample(dull, min(len(dull), MOST_WINDOWS))
    first, between = base.first, base.between
    return [
        window.unasked(first, between, told=random.random() < TOLD) if random.random() < WITHOUT_QUESTION else window
        for window in chosen
    ]


def _batches(chosen: list[Window]) -> list[list[Window]]:
    """Batches of windows of about the same length, in random order."""
    random.shuffle(chosen)
    reach = BATCH * 16
    runs = [sorted(chosen[at : at + reach], key=lambda w: len(w.numbers)) for at in range(0, len(chosen), reach)]
    ordered = [window for run in runs for window in run]
    batches = [ordered[at : at + BATCH] for at in range(0, len(ordered), BATCH)]
    random.shuffle(batches)
    return batches


def _tensors(batch: Sequence[Window]) -> tuple[Tensor, ...]:
    longest, most = max(len(w.numbers) for w in batch), max(len(w.truth) for w in batch)
    numbers, mask, segments = (torch.zeros(len(batch), longest, dtype=torch.long) for _ in range(3))
    owner = torch.zeros(len(batch), most, longest)
    truth, weight = (torch.zeros(len(batch), most, len(ACTS)) for _ in range(2))
    for row, window in enumerate(batch):
        length = len(window.numbers)
        numbers[row, :length] = torch.tensor(window.numbers)
        mask[row, :length] = 1
        segments[row, window.head : length] = 1
        for at, sentence in enumerate(window.owner):
            if sentence >= 0:
                owner[row, sentence, at] = 1
        truth[row, : len(window.truth)] = torch.from_numpy(window.truth)
        weight[row, : len(window.weight)] = torch.from_numpy(window.weight)
    return numbers, mask, segments, owner / owner.sum(-1, keepdim=True).clamp(min=1), truth, weight


def export(tagger: Tagger, base: Base, path: Path) -> None:
    """Store a trained tagger as the product reads it."""
    stored = {name: weights.detach().float().numpy() for name, weights in tagger.state_dict().items()}
    found: dict[str, Floats] = {
        "words": stored["encoder.embeddings.word_embeddings.weight"],
        "places": stored["encoder.embeddings.position_embeddings.weight"][:PLACES],
        "segments": stored["encoder.embeddings.token_type_embeddings.weight"],
    }
    for kind in ("weight", "bias"):
        found[f"norm.{kind}"] = stored[f"encoder.embeddings.LayerNorm.{kind}"]
        found[f"head.{kind}"] = stored[f"head.{kind}"]
        for number in range(len(tagger.encoder.encoder.layer)):
            found |= _layer(stored, f"encoder.encoder.layer.{number}.", f"layer.{number}.", kind)
    words = {"vocabulary": base.names, "acts": ACTS}
    extra: dict[str, NDArray[np.generic]] = {
        name: np.frombuffer("\n".join(its).encode(), np.uint8) for name, its in words.items()
    }
    if base.scores:
        extra["scores"] = np.array(base.scores, np.float32)
    save_encoder(path, found, extra)


def restore(tagger: Tagger, path: Path) -> None:
    """Give a tagger the weights that `export` stored, so that training goes on from there; they come back as exact as
    octets are. Raises ValueError where they are those of another vocabulary or of other acts, or of another shape."""
    encoder, extra = load_encoder(path)
    if tuple(extra["acts"].tobytes().decode().split("\n")) != ACTS:
        raise ValueError(f"{path}: it tells other acts than {', '.join(ACTS)}; train from the published encoder")
    stored = {"head.weight": encoder.head.weight.T, "head.bias": encoder.head.bias}
    inside = "encoder.embeddings."
    places = tagger.encoder.embeddings.position_embeddings.weight.detach().numpy().copy()
    places[: len(encoder.places)] = encoder.places
    stored |= {
        f"{inside}word_embeddings.weight": encoder.words.whole(),
        f"{inside}position_embeddings.weight": places,
        f"{inside}token_type_embeddings.weight": encoder.segments,
    }
    stored |= _norm(f"{inside}LayerNorm", encoder.norm)
    for number, layer in enumerate(encoder.layers):
        old = f"encoder.encoder.layer.{number}."
        for part, rows in zip(("query", "key", "value"), np.split(layer.attend.weight.T, 3), strict=True):
            stored[f"{old}attention.self.{part}.weight"] = rows
        for part, row in zip(("query", "key", "value"), np.split(layer.attend.bias, 3), strict=True):
            stored[f"{old}attention.self.{part}.bias"] = row
        for name, linear in (
            ("attention.output.dense", layer.join),
            ("intermediate.dense", layer.widen),
            ("output.dense", layer.narrow),
        ):
            stored |= {f"{old}{name}.weight": linear.weight.T, f"{old}{name}.bias": linear.bias}
        stored |= _norm(f"{old}attention.output.LayerNorm", layer.norm_attended)
        stored |= _norm(f"{old}output.LayerNorm", layer.norm_out)
    found = {name: torch.from_numpy(np.ascontiguousarray(matrix)) for name, matrix in stored.items()}
    try:
        missing = tagger.load_state_dict(found, strict=False).missing_keys
    except RuntimeError as error:
        raise ValueError(f"{path}: {str(error)[:200]}") from None
    assert not [name for name in missing if "position_ids" not in name], missing


def _norm(name: str, norm: Norm) -> dict[str, Floats]:
    return {f"{name}.weight": norm.gain, f"{name}.bias": norm.bias}


def _layer(stored: Mapping[str, Any], old: str, new: str, kind: str) -> dict[str, Floats]:
    attend = [stored[f"{old}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
    return {
        f"{new}attend.{kind}": np.concatenate(attend),
        f"{new}join.{kind}": stored[f"{old}attention.output.dense.{kind}"],
        f"{new}norm_attended.{kind}": stored[f"{old}attention.output.LayerNorm.{kind}"],
        f"{new}widen.{kind}": stored[f"{old}intermediate.dense.{kind}"],
        f"{new}narrow.{kind}": stored[f"{old}output.dense.{kind}"],
        f"{new}norm_out.{kind}": stored[f"{old}output.LayerNorm.{kind}"],
    }
