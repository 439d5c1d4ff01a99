"""A grid search whose networks are trained together."""

import numpy as np
from sklearn.model_selection import GridSearchCV

from .meeting import Meeting


class StackedSearchCV(GridSearchCV):
    def __init__(self, estimator, param_grid, *, scoring=None, refit=True, cv=None, verbose=0,
                 error_score=np.nan, return_train_score=False):
        super().__init__(estimator, param_grid, scoring=scoring, refit=refit, cv=cv, verbose=verbose, pre_dispatch="all",
                         error_score=error_score, return_train_score=return_train_score)

    def fit(self, X, y=None, **params):
        with Meeting().of_next_search() as meeting:
            super().fit(X, y, **params)
        self.n_stacked_ = meeting.n_stacked
        return self
