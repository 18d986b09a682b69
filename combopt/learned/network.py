"""One transformer for all problems, with a thin adapter for each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from combopt.errors import InputError, UsageError
from combopt.learned.problems.base import Problem, Tokens


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the backbone: ``width`` of a token, number of ``layers``, of attention ``heads`` (of width / heads
    columns each) and of ``hidden`` columns between the two linear maps of a layer."""

    width: int = 192
    layers: int = 9
    heads: int = 6
    hidden: int = 512

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise InputError("E114", f"network: {name} = {value!r}", expected="a whole number, 1 or more")
        if self.width % self.heads:
            raise InputError("E120", f"network: {self.heads} heads do not divide {self.width} columns")


PRESETS = {
    "full": NetworkConfig(),
    "small": NetworkConfig(width=128, layers=6, heads=4, hidden=512),
    "tiny": NetworkConfig(width=64, layers=4, heads=2, hidden=256),
}
"""3.1, 1.2 and 0.2 million parameters.  BQ-NCO has the first's width, layers and hidden columns (with 12 heads)."""


def preset(name: str) -> NetworkConfig:
    """The preset called ``name``; UsageError E201 if there is none."""
    if name not in PRESETS:
        raise UsageError("E201", f"network {name!r}", expected=", ".join(PRESETS))
    return PRESETS[name]


class Norm(nn.Module):  # type: ignore[misc]
    """Division by the root of the mean square (Zhang and Sennrich 2019), in single precision whatever comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x.to(torch.float32), self.weight.shape, self.weight, 1e-6).to(x.dtype)


class Layer(nn.Module):  # type: ignore[misc]
    """Self-attention and two linear maps, each on normalised input and added to it (pre-norm, without biases).

    The scores of head h get ``slope[h] . edges[i, j]`` on top: for distances, how local the head looks.
    """

    def __init__(self, config: NetworkConfig, edge_features: int) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.before_attention = Norm(width)
        self.read = nn.Linear(width, 3 * width, bias=False)
        self.write = nn.Linear(width, width, bias=False)
        self.before_maps = Norm(width)
        self.widen = nn.Linear(width, config.hidden, bias=False)
        self.narrow = nn.Linear(config.hidden, width, bias=False)
        self.slope = nn.Parameter(torch.zeros(config.heads, edge_features)) if edge_features else None
        for into_stream in (self.write, self.narrow):
            nn.init.normal_(into_stream.weight, std=0.5 / math.sqrt(2 * config.layers * into_stream.in_features))
        if self.slope is not None:
            # Half of the heads start out local, as the slopes of ALiBi (Press et al. 2022) do.
            with torch.no_grad():
                self.slope[:, 0] = -4.0 * torch.arange(config.heads) / max(1, config.heads - 1)

    def forward(self, x: Tensor, edges: Tensor | None, mask: Tensor | None) -> Tensor:
        """``x: float[B, T, width]``, ``edges: float[B, T, T, e]``, ``mask: float[B, 1, 1, T]`` added to scores."""
        rows, count, width = x.shape
        columns = self.read(self.before_attention(x)).view(rows, count, 3, self.heads, width // self.heads)
        query, key, value = columns.permute(2, 0, 3, 1, 4).unbind(0)
        bias = mask
        if edges is not None and self.slope is not None:
            if edges.shape[-1] == 1:
                bias = edges.squeeze(-1).unsqueeze(1) * self.slope.view(1, -1, 1, 1)
            else:
                bias = torch.einsum("bijc,hc->bhij", edges, self.slope)
            bias = bias if mask is None else bias + mask
        bias = None if bias is None else bias.to(query.dtype)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = x + self.write(seen.transpose(1, 2).reshape(rows, count, width))
        return x + self.narrow(functional.relu(self.widen(self.before_maps(x))))


class Adapter(nn.Module):  # type: ignore[misc]
    """What differs between problems: features in, origin and destination, logits out."""

    def __init__(self, config: NetworkConfig, problem: Problem[Any]) -> None:
        super().__init__()
        self.embed = nn.Linear(problem.node_features, config.width)
        self.ends = nn.Parameter(torch.randn(2, config.width)) if problem.ends else None
        self.norm = Norm(config.width)
        self.score = nn.Linear(config.width, problem.outputs)

    def enter(self, nodes: Tensor, real: Tensor | None) -> Tensor:
        """``float[B, T, width]`` from features; the destination is the last real token."""
        x = self.embed(nodes)
        if self.ends is None:
            return x
        place = torch.arange(x.shape[1], device=x.device).unsqueeze(0)
        last = place[:, -1:] if real is None else (real * place).argmax(dim=1, keepdim=True)
        marks = torch.stack([(place == 0).expand(len(last), -1), place == last], dim=2)
        return x + marks.to(x.dtype) @ self.ends.to(x.dtype)

    def leave(self, x: Tensor) -> Tensor:
        """``float[B, T * outputs]``: logits."""
        return self.score(self.norm(x)).flatten(1)


class Policy(nn.Module):  # type: ignore[misc]
    """From the tokens of states to the logits of actions.

    The nodes of a state are a set: there is no encoding of positions, and only origin and destination are told apart.

    Parameters
    ----------
    config
        Shape of the backbone.
    problem
        Whose adapter is used.
    """

    def __init__(self, config: NetworkConfig, problem: Problem[Any]) -> None:
        super().__init__()
        self.config, self.kind = config, problem.kind
        self.adapter = Adapter(config, problem)
        self.layers = nn.ModuleList(Layer(config, problem.edge_features) for _ in range(config.layers))

    def forward(self, tokens: Tokens) -> Tensor:
        """``float32[B, T * outputs]``: logits, also of actions that are not feasible."""
        mask = None
        if tokens.real is not None:
            closed = torch.where(tokens.real, 0.0, torch.finfo(torch.float32).min / 4)
            mask = closed[:, None, None, :]
        x = self.adapter.enter(tokens.nodes, tokens.real)
        for layer in self.layers:
            x = layer(x, tokens.edges, mask)
        return self.adapter.leave(x).to(torch.float32)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters())


def masked(logits: Tensor, feasible: Tensor) -> Tensor:
    """Logits with minus infinity where an action is not feasible."""
    return logits.masked_fill(~feasible, -math.inf)


def imitation_loss(logits: Tensor, feasible: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy per row, ``float32[B]``, of the policy against the teacher.

    ``target`` is ``int64[B]``, an action, or ``float32[B, A]``, the teacher's probabilities.  A row without one (-1,
    or 0 throughout) has no loss.
    """
    log_policy = masked(logits, feasible).log_softmax(dim=1)
    if target.dtype == torch.int64:
        chosen = log_policy.gather(1, target.clamp_min(0).unsqueeze(1)).squeeze(1)
        return -chosen.masked_fill(target < 0, 0.0)
    return -(target * log_policy.masked_fill(target == 0, 0.0)).sum(dim=1)
