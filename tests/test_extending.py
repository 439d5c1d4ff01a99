"""What the code blocks of docs/guide/extending.md come to."""

import re

import numpy as np
from pages import DOCS, session_of

PAGE = DOCS / "guide" / "extending.md"


def test_the_code_blocks_run():
    session, _ = session_of(PAGE)
    assert session["log_density"].shape == (200,)
    assert np.isfinite(session["log_density"]).all()
    assert session["narrow"].transform(session["X"]).shape == (200, 2)
    decoded, windows = session["decoded"], session["windows"]
    assert decoded.shape == windows.shape
    assert np.square(decoded - windows).mean() < windows.var()
    assert (session["last"] >= 0).all()
    assert session["p_values"][3:].max() < 0.05 < session["p_values"][:3].max()
    for name in ("denoising", "views"):
        assert session[name].transform(session["X"]).shape == (200, 2)


def test_every_part_has_a_section():
    sections = re.findall(r"^## (.*)$", PAGE.read_text(), flags=re.MULTILINE)
    assert sections == [
        "A network",
        "A likelihood",
        "A kind of row",
        "An objective",
        "A judge",
        "An augmentation",
        "Next",
    ]
