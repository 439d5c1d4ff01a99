"""A user writes a kind of row, outside the package and with its public names only."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
)
from sklearn_replearn.rows import Arrays, Rows, Table

TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]


class Shifted:
    """Windows that begin a few steps later, in a circle, with some noise."""

    def __init__(self, shape):
        self.shape = shape

    def __call__(self, rows, generator):
        shift = int(torch.randint(self.shape[1], (), generator=generator))
        noise = torch.randn(rows.shape, generator=generator)
        return rows.view(-1, *self.shape).roll(shift, dims=2).flatten(1) + 0.1 * noise


class Windows(Arrays):
    """Windows of time series, of shape (channels, length), with a convolutional network.

    Torch draws the initial weights from its global generator.
    """

    hidden_layer_sizes = None

    def __init__(self, shape, n_filters=8):
        super().__init__(shape)
        self.n_filters = n_filters

    def encoder(self, plan, n_out, generator):
        return nn.Sequential(
            nn.Unflatten(1, self.shape),
            nn.Conv1d(self.shape[0], self.n_filters, 5, padding=2),
            nn.BatchNorm1d(self.n_filters),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(4),
            nn.Flatten(),
            nn.Linear(4 * self.n_filters, n_out),
        )

    def decoder(self, plan, generator):
        channels, length = self.shape
        return nn.Sequential(
            nn.Linear(plan.latent_dim, self.n_filters * length),
            nn.ReLU(),
            nn.Unflatten(1, (self.n_filters, length)),
            nn.Conv1d(self.n_filters, channels, 5, padding=2),
            nn.Flatten(),
        )

    def augmentation(self):
        return Shifted(self.shape)


class Texts(Rows):
    """Strings: how often each letter is there, in units of the length."""

    def to_table(self, X):
        return np.array([[text.count(letter) / len(text) for letter in "abcde"] for text in X])


@pytest.fixture(scope="module")
def kinds():
    return np.random.default_rng(0).integers(0, 2, 90)


@pytest.fixture(scope="module")
def X(kinds):
    """Slow and quick waves of three channels."""
    random = np.random.default_rng(1)
    phase = random.uniform(0, 1.5, size=(len(kinds), 1, 1))
    speed = np.where(kinds == 0, 0.3, 0.9)[:, None, None]
    waves = np.sin(phase + speed * np.arange(17) * np.array([[1.0], [2.0], [0.5]]))
    return waves + 0.1 * random.normal(size=waves.shape)


def small(transformer, rows=None, **others):
    rows = Windows((3, 17)) if rows is None else rows
    return transformer(
        **{"latent_dim": 3, "rows": rows, "max_epochs": 3, "batch_size": 32, **others}
    )


def net(*layers):
    """A kind of row whose encoder is made of these layers."""

    class WithEncoder(Windows):
        def encoder(self, plan, n_out, generator):
            return nn.Sequential(*layers)

    return WithEncoder((3, 17))


@pytest.mark.parametrize("transformer", TRANSFORMERS)
class TestEveryTransformer:
    def test_fits_are_the_same_and_leave_the_global_generator_alone(self, transformer, X):
        before = torch.get_rng_state()
        encoder = small(transformer).fit(X)
        assert torch.equal(before, torch.get_rng_state())
        torch.rand(1)
        order = np.random.default_rng(0).permutation(len(X))
        for again in (clone(encoder).fit(X), clone(encoder).fit(X[order])):
            assert np.array_equal(again.transform(X), encoder.transform(X))
        flat = clone(encoder).fit(X.reshape(len(X), -1))
        assert np.array_equal(flat.transform(X), encoder.transform(X))
        other = clone(encoder).set_params(random_state=1).fit(X)
        assert not np.array_equal(other.transform(X), encoder.transform(X))

    def test_rows_are_their_own(self, transformer, X):
        encoder = small(transformer).fit(X)
        order = np.random.default_rng(0).permutation(len(X))
        for result in (encoder.transform, encoder.score_samples, encoder.reconstruction_error):
            together = result(X)
            assert np.array_equal(result(X[order]), together[order])
            assert np.array_equal(np.concatenate([result(row[None]) for row in X]), together)
            assert np.array_equal(result(np.concatenate([X] * 15))[-len(X) :], together)

    def test_windows_come_back_in_the_form_of_fit(self, transformer, X):
        encoder = small(transformer, max_epochs=60).fit(X)
        decoded = encoder.inverse_transform(encoder.transform(X))
        assert decoded.shape == X.shape
        assert np.square(decoded - X).mean() < 0.9 * X.var()
        flat = clone(encoder).fit(X.reshape(len(X), -1))
        assert np.array_equal(
            flat.inverse_transform(flat.transform(X)), decoded.reshape(len(X), -1)
        )
        assert np.array_equal(encoder.impute(X), X)

    def test_it_is_stored_cloned_and_searched_over(self, transformer, X):
        encoder = small(transformer).fit(X)
        stored = pickle.loads(pickle.dumps(encoder))
        assert np.array_equal(stored.transform(X), encoder.transform(X))
        search = GridSearchCV(encoder, {"rows__n_filters": [2, 4], "latent_dim": [2, 3]}, cv=2)
        best = search.fit(X).best_estimator_
        assert best.network_.encoder[1].out_channels == best.rows.n_filters
        assert encoder.rows.n_filters == 8

    def test_a_fitted_model_does_not_follow_its_parameters(self, transformer, X):
        encoder = small(transformer).fit(X)
        codes = encoder.transform(X)
        encoder.set_params(rows__n_filters=2, device="cpu")  # another device: computed anew
        assert np.array_equal(encoder.transform(X), codes)

    @pytest.mark.parametrize("fine_tune", [False, "linear_probe", "full"])
    def test_classes_are_predicted_from_few_labels(self, transformer, X, kinds, fine_tune):
        few = np.where(np.arange(len(X)) < 30, kinds, -1)
        encoder = small(transformer, max_epochs=40)
        classifier = EncoderClassifier(encoder, fine_tune=fine_tune).fit(X, few)
        assert classifier.score(X[30:], kinds[30:]) > 0.8
        stored = pickle.loads(pickle.dumps(classifier))
        assert np.array_equal(stored.predict_proba(X), classifier.predict_proba(X))

    def test_training_goes_on(self, transformer, X):
        encoder = small(transformer, warm_start=True).fit(X)
        assert encoder.fit(X).n_iter_ == 6
        with pytest.raises(ValueError, match=r"rows changed since, from Windows.* to Windows"):
            encoder.set_params(rows__n_filters=2).fit(X)

    def test_a_detector_takes_flat_windows(self, transformer, X):
        flat = X.reshape(len(X), -1)
        detector = OutlierDetector(small(transformer)).fit(flat)
        strange = np.concatenate([flat[:20], 10 * flat[:20]])
        scores = detector.score_samples(strange)
        assert scores[20:].max() < scores[:20].min()


def test_a_vae_draws_windows(X):
    vae = small(VAETransformer, max_epochs=30).fit(X)
    assert vae.sample(5, random_state=0).shape == (5, 3, 17)
    assert vae.interpolate(X[0], X[1], n_steps=4).shape == (4, 3, 17)
    assert vae.traverse(X[0], dimension=0).shape == (9, 3, 17)
    assert vae.elbo_terms(X).sum(axis=1).mean() == pytest.approx(vae.score(X), abs=2.0)


def test_strings_can_be_rows():
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list(letters), 12)) for letters in ("abc", "cde") * 40]
    encoder = small(AutoencoderTransformer, Texts()).fit(texts)
    codes = encoder.transform(texts)
    assert np.array_equal(encoder.transform(texts[3:4]), codes[3:4])
    classifier = EncoderClassifier(encoder).fit(texts, [0, 1] * 40)
    assert classifier.score(texts, [0, 1] * 40) == 1.0


def test_a_module_that_is_a_parameter_is_copied(X):
    given = nn.Linear(51, 3)
    before = given.weight.clone()
    small(AutoencoderTransformer, net(given)).fit(X)
    assert torch.equal(given.weight, before)


def test_networks_of_ones_own_are_not_widened():
    """Layers that count their inputs, such as LayerNorm, would compute something else."""

    class Normed(Table):
        def encoder(self, plan, n_out, generator):
            return nn.Sequential(nn.Linear(plan.n_inputs, 9), nn.LayerNorm(9), nn.Linear(9, n_out))

    table = np.random.default_rng(0).normal(size=(40, 5))
    encoder = small(AutoencoderTransformer, Normed(scaling=None)).fit(table)
    with torch.no_grad():
        by_hand = encoder.network_.encode(torch.from_numpy(table).float()).numpy()
    assert encoder.transform(table) == pytest.approx(by_hand, abs=1e-5)


class TestWhatIsWrongIsNamed:
    def refused(self, rows, X, message, error=ValueError):
        encoder = small(AutoencoderTransformer, rows)
        before = vars(encoder).copy()
        with pytest.raises(error, match=message):
            encoder.fit(X)
        assert vars(encoder) == before

    def test_an_encoder_of_another_width(self, X):
        wanted = (
            r"WithEncoder.encoder must turn rows of shape \(n, 51\) into rows of shape \(n, 3\)"
        )
        self.refused(net(nn.Linear(51, 4)), X, wanted + r".* became shape \(2, 4\)")
        self.refused(net(nn.Linear(50, 3)), X, wanted + ".* raised: mat1 and mat2")

    def test_an_encoder_that_is_none(self, X):
        class Empty(Windows):
            def encoder(self, plan, n_out, generator):
                pass

        self.refused(Empty((3, 17)), X, "Empty.encoder must return .*; got NoneType", TypeError)

    def test_a_decoder_of_another_shape(self, X):
        class Stacked(Windows):
            def decoder(self, plan, generator):
                return super().decoder(plan, generator)[:-1]

        class Wide(Windows):
            def decoder(self, plan, generator):
                return nn.Linear(plan.latent_dim, 60)

        wanted = r".decoder must turn rows of shape \(n, 3\) into rows of shape \(n, 51\)"
        self.refused(Stacked((3, 17)), X, "Stacked" + wanted + r".* shape \(2, 3, 17\)")
        self.refused(Wide((3, 17)), X, "Wide" + wanted + r".* shape \(2, 60\)")

    @pytest.mark.parametrize(
        ("table", "came"),
        [
            (None, "NoneType"),
            (np.zeros((90, 3, 17)), r"shape \(90, 3, 17\)"),
            (np.zeros((45, 102)), r"shape \(45, 102\)"),
            ([[0.0]] * 90, "list"),
        ],
    )
    def test_a_table_that_is_none(self, X, table, came):
        class Odd(Windows):
            def to_table(self, X):
                return table

        self.refused(Odd((3, 17)), X, rf"Odd.to_table must return .*\(90, n_features\).* {came}")

    def test_windows_of_another_shape(self, X):
        self.refused(Windows((3, 20)), X, r"Windows\(\(3, 20\)\) takes .* got shape \(90, 3, 17\)")
        self.refused(Windows((17, 3)), X, "got shape")
        last = X.transpose(0, 2, 1)
        self.refused(Windows((3, 17)), last, r"Channels come first: use X.transpose\(0, 2, 1\)")

    def test_hidden_layers_that_there_are_not(self, X):
        encoder = small(AutoencoderTransformer, hidden_layer_sizes=(20,))
        with pytest.raises(ValueError, match="networks of Windows have no hidden_layer_sizes"):
            encoder.fit(X)

    def test_the_class_in_place_of_an_object(self, X):
        with pytest.raises(ValueError, match="rows"):
            small(AutoencoderTransformer, Windows).fit(X)
