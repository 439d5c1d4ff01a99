"""The network and the likelihood of rows of tokens against slow references."""

import itertools

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded

from sklearn_replearn.likelihoods import Tokens
from sklearn_replearn.modules import TokenDecoder, TokenEncoder, TokenIds

FREQUENCIES = [0.0, 0.5, 0.3, 0.2]
LENGTH, WIDTH = 3, 2


def made(length=LENGTH, seed=0):
    """A likelihood with weights drawn at random, and two outputs of a decoder."""
    generator = seeded(seed)
    tokens = Tokens(length, FREQUENCIES, shares=[0.7] * length, width=WIDTH).double()
    with torch.no_grad():
        for weight in tokens.parameters():
            weight.normal_(generator=generator)
    output = torch.randn(2, tokens.n_outputs, generator=generator, dtype=torch.float64)
    return tokens, output


def probabilities(tokens, output):
    """Of each id at each position, one by one: ndarray of shape (n, length, vocabulary)."""
    with torch.no_grad():
        length = tokens.n_features
        ids = range(len(FREQUENCIES))
        rows = [torch.full((len(output), length), float(i), dtype=torch.float64) for i in ids]
        return torch.stack([tokens.log_prob(r, output).exp() for r in rows], dim=2).numpy()


def test_log_probabilities_are_those_of_the_formula():
    tokens, output = made()
    x = torch.tensor([[0.0, 2.0, 3.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    found = tokens.log_prob(x, output).detach().numpy()
    embeddings, bias = (w.detach().numpy() for w in (tokens.embeddings, tokens.bias))
    odds_before = tokens.odds.detach().numpy()
    for row, numbers in enumerate(output.numpy()):
        for place in range(LENGTH):
            state = numbers[place * WIDTH : (place + 1) * WIDTH]
            odds = numbers[LENGTH * WIDTH + place] + odds_before[place]
            there = 1 / (1 + np.exp(-odds))
            logits = embeddings @ state + bias
            softmax = np.exp(logits) / np.exp(logits).sum()
            token = int(x[row, place])
            expected = np.log(there * softmax[token - 1]) if token else np.log(1 - there)
            assert found[row, place] == pytest.approx(expected)


def test_probabilities_of_all_rows_sum_to_one():
    tokens, output = made()
    every = torch.tensor(list(itertools.product(range(4), repeat=LENGTH)), dtype=torch.float64)
    for one in output:
        log_prob = tokens.log_prob(every, one.expand(len(every), -1))
        assert float(log_prob.detach().sum(1).exp().sum()) == pytest.approx(1)


def test_draws_have_the_probabilities_that_the_likelihood_says():
    tokens, output = made()
    n = 20_000
    with torch.no_grad():
        drawn = tokens.sample(output.repeat_interleave(n, 0), seeded(1))
    drawn = drawn.numpy().astype(int).reshape(2, n, LENGTH)
    expected = probabilities(tokens, output)
    for row in range(2):
        for place in range(LENGTH):
            shares = np.bincount(drawn[row, :, place], minlength=4) / n
            assert shares == pytest.approx(expected[row, place], abs=0.015)


def test_the_mean_is_the_likeliest_token_where_one_is_likelier_than_padding():
    for seed in range(20):
        tokens, output = made(seed=seed)
        found = tokens.mean(output).numpy()
        p = probabilities(tokens, output)
        expected = np.where(p[..., 0] > 0.5, 0, 1 + p[..., 1:].argmax(-1))
        assert np.array_equal(found, expected)


def test_averages_are_of_the_output_that_weighs_most():
    tokens, output = made()
    both = torch.stack([output, output.flip(0)])
    weights = torch.tensor([[0.2, 0.8], [0.9, 0.1]], dtype=torch.float64)
    expected = torch.cat([tokens.mean(both[:1, 1]), tokens.mean(both[1:, 0])])
    assert torch.equal(tokens.average(both, weights), expected)


def test_it_starts_from_the_frequencies():
    tokens = Tokens(2, FREQUENCIES, shares=[0.8, 0.5], width=WIDTH)
    p = probabilities(tokens, torch.zeros(1, tokens.n_outputs))[0]
    assert p[0] == pytest.approx([0.2, 0.4, 0.24, 0.16], abs=1e-5)
    assert p[1] == pytest.approx([0.5, 0.25, 0.15, 0.1], abs=1e-5)


def test_tokens_and_padding_that_were_never_seen_are_possible():
    tokens = Tokens(2, [0.0, 1.0, 0.0, 0.0], shares=[1.0, 0.0], width=WIDTH)
    p = probabilities(tokens, torch.zeros(1, tokens.n_outputs))[0]
    assert (p > 0).all()
    assert p.sum(axis=1) == pytest.approx([1, 1])
    nothing = Tokens(1, [0.0, 0.0, 0.0, 0.0], shares=[0.0], width=WIDTH)
    p = probabilities(nothing, torch.zeros(1, nothing.n_outputs))[0]
    assert p.sum() == pytest.approx(1)
    assert p[0, 0] > 0.99


def test_cells_that_are_missing_are_not_asked_and_ids_are_whole():
    assert TokenIds(3)(torch.tensor([[2.0, float("nan"), 0.0]])).tolist() == [[2, 0, 0]]


# ---------------------------------------------------------------- networks


def encoder(vocabulary_size=9):
    return TokenEncoder(vocabulary_size, 4, seeded()).double()


def test_padding_behind_a_row_counts_nowhere():
    row = torch.tensor([[3, 1, 8]])
    wide = torch.tensor([[3, 1, 8, 0, 0]])
    assert torch.allclose(encoder()(row), encoder()(wide))
    beside = torch.tensor([[3, 1, 8, 0, 0], [1, 2, 3, 4, 5]])
    assert torch.allclose(encoder()(beside)[:1], encoder()(wide))


def test_tokens_their_order_and_the_mask_all_count():
    ids = torch.tensor([[3, 1, 8], [1, 3, 8], [3, 1, 7], [3, 1, 9], [3, 0, 8], [0, 0, 0]])
    codes = encoder()(ids).detach()
    gaps = torch.cdist(codes, codes) + torch.eye(len(ids))
    assert gaps.min() > 1e-6


def test_networks_repeat_with_their_generator():
    before = global_state()
    for make in (
        lambda generator: TokenEncoder(9, 4, generator),
        lambda generator: TokenDecoder(4, 3, generator),
    ):
        first, again, other = (make(seeded(seed)) for seed in (0, 0, 1))
        pairs = list(zip(first.parameters(), again.parameters(), strict=True))
        assert all(torch.equal(*pair) for pair in pairs)
        pairs = zip(first.parameters(), other.parameters(), strict=True)
        assert not all(torch.equal(*pair) for pair in pairs)
    assert global_state() == before


def test_the_decoder_gives_what_the_likelihood_takes():
    decoder = TokenDecoder(4, LENGTH, seeded(), width=WIDTH)
    output = decoder(torch.zeros(5, 4))
    assert output.shape == (5, Tokens(LENGTH, FREQUENCIES, [0.5] * LENGTH, width=WIDTH).n_outputs)
    states = output[0, : LENGTH * WIDTH].unflatten(0, (LENGTH, WIDTH))
    assert not torch.allclose(states[0], states[1])  # positions differ from the start
