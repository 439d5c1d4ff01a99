"""By what cells are measured."""

import numpy as np
import scipy.sparse as sp

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._dataset.sparse import SparseTable
from sklearn_replearn._scaling import measure
from sklearn_replearn._scaling.scaler import Scaler
from sklearn_replearn.likelihoods import Gaussian


def test_of_a_wide_sparse_table_only_columns_with_cells_are_looked_at(monkeypatch):
    X = sp.random(16, 2000, density=2e-3, format="csr", random_state=0)
    X.data = np.round(X.data + 0.01, 2)
    empty = np.asarray(X.sum(axis=0))[0] == 0
    looked_at, grain_of, atoms_of = [], measure.grain_of, measure.atoms_of
    monkeypatch.setattr(
        measure, "grain_of", lambda cells, which: looked_at.append(which) or grain_of(cells, which)
    )
    monkeypatch.setattr(
        measure,
        "atoms_of",
        lambda cells, which: (
            looked_at.append(np.isin(np.arange(2000), which)) or atoms_of(cells, which)
        ),
    )
    multiset = canonical(SparseTable(X), np.ones(16))
    scaler = Scaler("standard", multiset, None, seed=0)
    monkeypatch.setattr(Scaler, "with_density", np.ones(2000, dtype=bool))
    found = measure.Measure(scaler, multiset, [Gaussian] * 2000)
    assert len(looked_at) == 2
    assert not any((which & empty).any() for which in looked_at)
    assert np.array_equal(found._step, grain_of(X.toarray(), ~empty).step)
    assert (found._step > 0).any()
