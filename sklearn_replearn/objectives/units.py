"""Units of the terms that objectives name, where they are more than numbers."""

NATS = "nats per row"
ERROR = "error per cell (columns scaled)"
SQUARED_ERROR_OF_Y = "squared error (y scaled)"

#: By the name of the term.
UNITS = {
    "kl": NATS,
    "mutual_information": NATS,
    "total_correlation": NATS,
    "dimension_kl": NATS,
    "importance": NATS,
    "capacity": NATS,
    "contrast": NATS,
    "reconstruction": ERROR,
    "alignment": "squared distance of views",
    "uniformity": "log of mean potential",
    "temperature": "temperature",
}
