"""The likeliest translations, word by word."""

import torch

from skembed.training.translation._torch_model import (
    Decoder,
    Memory,
    State,
    keep_all,
)


def beam_search(
    decoder: Decoder, memory: Memory, beam_size: int, max_length: int
) -> list[list[int]]:
    """Translate texts, keeping the best few beginnings of each.

    Parameters
    ----------
    decoder : Decoder
    memory : Memory
        Of the texts.
    beam_size : int
        Beginnings that are kept; 1 takes the likeliest word at each step.
    max_length : int
        Most words of a translation.

    Returns
    -------
    translations : list of list of int
        Those with the highest mean log-probability of a word, ends included.
    """
    n_texts, device = len(memory.states), memory.states.device
    boundary = len(decoder.bias) - 1
    state = decoder.first_state(memory)
    # Row n_texts * beam: the beams of a text lie side by side.
    rows = torch.arange(n_texts, device=device).repeat_interleave(beam_size)
    memory, state = Memory(*(x[rows] for x in memory)), _choose(state, rows)
    words = torch.empty((n_texts * beam_size, 0), dtype=torch.long, device=device)
    last = torch.full((1, len(rows)), boundary, device=device)
    # All beams are equal at first: only one of them counts.
    totals = torch.full((n_texts, beam_size), -torch.inf, device=device)
    totals[:, 0] = 0.0
    lengths = torch.ones_like(totals)
    ended = torch.zeros((n_texts, beam_size), dtype=torch.bool, device=device)
    for step in range(max_length + 1):
        combined, state = decoder(last, state, memory, keep_all)
        gains = decoder.scores(combined[0]).float().log_softmax(dim=1)
        if step == max_length:
            # Whatever has not ended must do so now.
            gains[:, :boundary] = -torch.inf
        gains = gains.view(n_texts, beam_size, -1)
        # A translation that has ended stays as it is.
        gains = gains.masked_fill(ended[..., None], -torch.inf)
        gains[..., boundary] = gains[..., boundary].masked_fill(ended, 0.0)
        grown = lengths + (~ended).float() if step else lengths
        sums = totals[..., None] + gains
        best = (sums / grown[..., None]).flatten(1).topk(beam_size, dim=1).indices
        parents, chosen = best // gains.shape[2], best % gains.shape[2]
        totals = sums.flatten(1).gather(1, best)
        lengths, ended = grown.gather(1, parents), ended.gather(1, parents)
        ended = ended | (chosen == boundary)
        origin = torch.arange(n_texts, device=device)[:, None] * beam_size + parents
        words = torch.cat([words[origin.flatten()], chosen.view(-1, 1)], dim=1)
        state, last = _choose(state, origin.flatten()), chosen.view(1, -1)
        if bool(ended.all()):
            break
    first = (totals / lengths).argmax(dim=1) + torch.arange(
        0, n_texts * beam_size, beam_size, device=device
    )
    return [_until(text, boundary) for text in words[first].tolist()]


def _choose(state: State, rows: torch.Tensor) -> State:
    return state[0][:, rows].contiguous(), state[1][:, rows].contiguous()


def _until(words: list[int], boundary: int) -> list[int]:
    return words[: words.index(boundary)] if boundary in words else words
