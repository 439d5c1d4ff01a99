"""What each part of an estimator gets of the metadata that its fit is given."""

from sklearn import get_config
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.validation import has_fit_parameter

_FIT_BY_FIT = MethodMapping().add(caller="fit", callee="fit")


def shares_of_fit(owner, transformer, head, sample_weight, others):
    """Keyword arguments for the fit of a transformer and of a head behind it.

    Weights are for both, all else is for the transformer. With metadata routing enabled what they
    request goes before that, and decides alone what a pipeline or a search gets for its steps.

    Parameters
    ----------
    owner : estimator
    transformer, head : estimator
    sample_weight : ndarray of shape (n_samples,) or None
    others : dict

    Returns
    -------
    transformer, head : dict

    Raises
    ------
    ValueError
        If one of them takes no weights, and there are some.
    """
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    given, parts = {**others, **weights}, [transformer, head]
    routing = get_config()["enable_metadata_routing"]
    for part in parts if weights else ():
        routes = routing and _is_router(get_routing_for_object(part))
        if not (routes or _takes_weights(part)):
            raise ValueError(f"{type(part).__name__} takes no sample_weight. {_remedy(part)}")
    if not routing:
        return given, weights
    router = MetadataRouter(owner=owner)
    for name, part, by_itself in (
        ("transformer", transformer, given),
        ("estimator", head, weights),
    ):
        router.add(**{name: _with_requests(part, by_itself)}, method_mapping=_FIT_BY_FIT)
    routed = process_routing(router, "fit", **given)
    return dict(routed["transformer"]["fit"]), dict(routed["estimator"]["fit"])


def _with_requests(part, by_itself):
    """What a part requests; where it says nothing of what it gets by itself, that, too."""
    part = part.estimator if isinstance(part, FrozenEstimator) else part
    requests = get_routing_for_object(part)
    if not _is_router(requests):
        for name, asked in list(requests.fit.requests.items()):
            if asked is None and name in by_itself:
                requests.fit.add_request(param=name, alias=True)
    return requests


def _is_router(routing):
    return isinstance(routing, MetadataRouter)


def _takes_weights(part):
    return isinstance(part, FrozenEstimator) or has_fit_parameter(part, "sample_weight")


def _remedy(part):
    if _is_router(get_routing_for_object(part)):
        return (
            "Its steps may: sklearn.set_config(enable_metadata_routing=True), and "
            "set_fit_request(sample_weight=True) for those that shall have it."
        )
    return "Give another one, or no sample_weight."
