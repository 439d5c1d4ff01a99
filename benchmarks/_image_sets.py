"""Image sets of several kinds: digits, photographs, and two that are made here.

Each function gives ``train, y, test, y_test``: images of shape (n, channels, height, width) with
values between 0 and 255, and classes from 0 on. Nothing is downloaded, and each call gives the
same.
"""

import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import train_test_split

_SIDE, _FINE = 28, 2  # pixels, and points in a pixel, in each direction
# Points at which an image is looked at, in units in which it reaches from -1 to 1.
_LINE = (np.arange(_SIDE * _FINE) + 0.5) / (_SIDE * _FINE / 2) - 1
_x, _y = np.meshgrid(_LINE, _LINE)


def stored(name, n_train=None):
    """A set of the folder of data, or the first ``n_train`` of its training images."""
    from load import load_images

    train, y, test, y_test = load_images(name)
    train, test = (
        X[:, None] if X.ndim == 3 else X.transpose(0, 3, 1, 2) for X in (train[:n_train], test)
    )
    return train, y[:n_train], test, y_test


def digits():
    """Those of scikit-learn, 8 x 8."""
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 1, 8, 8) * (255 / 16)
    train, test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    return train, y_train, test, y_test


def patches(n_train=6_000, n_test=2_000, side=16):
    """Squares of scikit-learn's two photographs; classes are six regions of each.

    Regions are of blocks, of which each fourth is kept for the test: no pixel is in both parts.
    """
    random, block = np.random.RandomState(0), 35
    places = {False: [], True: []}
    for i, photograph in enumerate(load_sample_images().images):
        for row, column in np.ndindex(12, 18):
            label = 6 * i + 3 * (row // 6) + column // 6
            corner = photograph[block * row :, block * column :][:block, :block]
            places[(row + 2 * column) % 4 == 0].append((corner, label))

    def drawn(n, blocks):
        images, labels = [], []
        for number in random.randint(len(blocks), size=n):
            pixels, label = blocks[number]
            y, x = random.randint(block - side + 1, size=2)
            images.append(pixels[y : y + side, x : x + side].transpose(2, 0, 1))
            labels.append(label)
        return np.array(images), np.array(labels)

    return *drawn(n_train, places[False]), *drawn(n_test, places[True])


def shapes(n_train=8_000, n_test=2_000):
    """Grey outlines of ten kinds of things to wear and carry, of many widths and patterns.

    As in a catalogue all stand upright and fill the image; shoes look to the left.
    """
    random = np.random.RandomState(0)
    labels = np.arange(n_train + n_test) % len(_KINDS)
    random.shuffle(labels)
    images = np.array([_image(_KINDS[label], random) for label in labels])[:, None]
    return images[:n_train], labels[:n_train], images[n_train:], labels[n_train:]


def _image(kind, random):
    inside, lines = kind(random.uniform)
    light = random.uniform(0.25, 1.0) * _pattern(random)
    light = light * (1 - random.uniform(0.1, 0.6) * lines) * inside
    fine = light.reshape(_SIDE, _FINE, _SIDE, _FINE).mean((1, 3))
    fine = fine + (fine > 0) * random.normal(0, 0.03, fine.shape)
    down, right = random.randint(-2, 3, size=2) + 2
    shifted = np.pad(fine, 2)[down:, right:][:_SIDE, :_SIDE]
    return np.round(255 * np.clip(shifted, 0, 1)).astype(np.uint8)


def _pattern(random):
    """How bright cloth is: shaded, and plain, striped, chequered, mottled or with a print."""
    draw = random.uniform
    shade = 1 - draw(0, 0.4) * np.abs(_x) - draw(0, 0.3) * (_y + 1) / 2
    waves = [np.sin(draw(6, 25) * axis + draw(0, 6)) for axis in (_x, _y)]
    coarse = random.uniform(-1, 1, (14, 14)).repeat(4, 0).repeat(4, 1)
    x, y = draw(-0.2, 0.2), draw(-0.4, 0.3)
    printed = (np.abs(_x - x) < draw(0.1, 0.4)) & (np.abs(_y - y) < draw(0.1, 0.4))
    choices = (
        0 * _x,
        waves[0],
        waves[1],
        waves[0] * waves[1],
        coarse,
        2.0 * printed * coarse - printed,
    )
    return shade * (
        1 + draw(0.05, 0.5) * choices[random.choice(6, p=[0.5, 0.1, 0.1, 0.05, 0.1, 0.15])]
    )


def _along(values, at, line):
    """A profile through ``values`` at places ``at``."""
    return np.interp(line, at, values)


def _top(draw, sleeve, hem, width, neck, flare=0.0):
    """A garment for the upper body; ``sleeve`` is where its sleeves end, at most ``hem``."""
    shoulder = width + draw(0.05, 0.15)
    body = _along([0.6 * width, shoulder, width, width + flare], [-0.95, -0.8, -0.5, hem], _y)
    inside = (np.abs(_x) < body) & (_y > -0.95) & (_y < hem)
    slope, thick = draw(0.15, 0.45) if sleeve > 0 else draw(0.5, 0.9), draw(0.2, 0.32)
    outer = shoulder + slope * (_y + 0.85)
    arms = (np.abs(_x) < outer) & (np.abs(_x) > outer - thick) & (_y > -0.85) & (_y < sleeve)
    seams = arms & (np.abs(_x) < body + 0.04) & (np.abs(_x) > body - 0.02)
    gap = draw(0.12, 0.3)
    opening = np.square(_x / gap) + np.square((_y + 0.97) / neck) < 1
    return (inside | arms) & ~opening, seams


def _tshirt(draw):
    sleeve = draw(-0.45, -0.1)
    return _top(draw, sleeve, draw(0.75, 0.97), draw(0.4, 0.58), draw(0.1, 0.35))


def _pullover(draw):
    return _top(draw, draw(0.3, 0.95), draw(0.7, 0.95), draw(0.38, 0.6), draw(0.08, 0.3))


def _coat(draw):
    hem = draw(0.85, 0.98)
    inside, seams = _top(
        draw, draw(0.6, 0.95), hem, draw(0.38, 0.55), draw(0.1, 0.3), draw(0, 0.15)
    )
    front = np.abs(_x - draw(-0.08, 0.08)) < draw(0.015, 0.05)
    return inside, seams | front


def _shirt(draw):
    long = draw(0, 1) < 0.6
    sleeve = draw(0.5, 0.95) if long else draw(-0.45, 0.1)
    inside, seams = _top(draw, sleeve, draw(0.75, 0.97), draw(0.38, 0.56), draw(0.1, 0.4))
    buttons = (np.abs(_x) < 0.04) & (np.sin(draw(15, 25) * _y) > 0.4)
    collar = (np.abs(np.abs(_x) - 0.5 * (_y + 0.95)) < 0.05) & (_y < -0.55)
    return inside, seams | (buttons if draw(0, 1) < 0.6 else 0) | (
        collar if draw(0, 1) < 0.6 else 0
    )


def _dress(draw):
    waist, hem, top = draw(0.14, 0.32), draw(0.25, 0.6), draw(0.2, 0.42)
    body = _along([top, waist, hem], [-0.95, draw(-0.4, 0.0), 0.97], _y)
    inside = (np.abs(_x) < body) & (np.abs(_y) < 0.97)
    if draw(0, 1) < 0.4:
        sleeve = draw(-0.6, 0.5)
        outer = top + 0.1 + draw(0, 0.3) * (_y + 0.9)
        inside |= (np.abs(_x) < outer) & (np.abs(_x) > outer - 0.15) & (_y < sleeve) & (_y > -0.9)
    opening = np.square(_x / (0.6 * top)) + np.square((_y + 0.97) / draw(0.1, 0.4)) < 1
    return inside & ~opening, (np.abs(_y) < 0.03) * (draw(0, 1) < 0.3)


def _trousers(draw):
    hip, ankle = draw(0.25, 0.42), draw(0.2, 0.45)
    outer = _along([hip, hip + 0.03, ankle], [-0.97, -0.6, 0.97], _y)
    between = _along([0, 0, draw(0.03, 0.2)], [-1, draw(-0.6, -0.2), 0.97], _y)
    inside = (np.abs(_x) < outer) & (np.abs(_x) >= between) & (np.abs(_y) < 0.97)
    return inside, np.abs(_y + 0.87) < 0.03


def _sneaker(draw):
    base, thick = draw(0.3, 0.65), draw(0.08, 0.16)
    sole = (np.abs(_x) < 0.97) & (_y < base) & (_y > base - thick)
    height = [draw(0.15, 0.35), draw(0.3, 0.45), draw(0.5, 0.7), draw(0.6, 0.9)]
    upper = (
        (_y < base)
        & (_y > base - _along(height, [-0.95, -0.4, 0.2, 0.9], _x))
        & (np.abs(_x) < 0.95)
    )
    laces = (np.abs(_x + 0.1) < 0.2) & (np.sin(20 * (_x + _y)) > 0.3) & ~sole
    return upper | sole, laces | (np.abs(_y - base + 0.15) < 0.03)


def _sandal(draw):
    base = draw(0.3, 0.65)
    heel = draw(0, 0.5) * (draw(0, 1) < 0.5)
    lifted = base - heel * np.clip((_x + 0.3) / 1.3, 0, 1)
    ground = (np.abs(_x) < 0.95) & (_y < lifted) & (_y > lifted - draw(0.08, 0.2))
    stand = (np.abs(_x - 0.8) < 0.12) & (_y < base) & (_y > lifted)
    arch = draw(0.5, 0.9) * np.clip(1 - np.square((_x - draw(-0.3, 0.3)) / draw(0.5, 1)), 0, 1)
    straps = (
        (_y < lifted)
        & (_y > lifted - arch)
        & (np.sin(draw(5, 15) * _x + draw(-6, 6) * _y) > draw(0, 0.6))
    )
    return ground | stand | straps, 0 * _x


def _boot(draw):
    base = draw(0.75, 0.95)
    shaft, foot = draw(-0.1, 0.25), draw(0.35, 0.6)
    leg = (_x > shaft) & (_x < shaft + draw(0.5, 0.75)) & (_y > draw(-0.97, -0.5)) & (_y < base)
    toe = (_y < base) & (_y > base - _along([0.2, foot, foot], [-0.95, shaft, 0.9], _x))
    toe &= (_x > -0.95) & (_x < shaft + 0.5)
    heel = draw(0, 0.3)
    return (leg | toe) & ~((np.abs(_x - shaft + 0.1) < 0.2) & (_y > base - heel)), np.abs(
        _y - base + 0.1
    ) < 0.04


def _bag(draw):
    top, low, wide = draw(-0.5, 0.1), draw(0.6, 0.95), draw(0.6, 0.95)
    body = (np.abs(_x) < wide - draw(0, 0.3) * (low - _y) / 2) & (_y > top) & (_y < low)
    radius, drop = draw(0.25, wide), draw(0.3, 0.9)
    arc = np.sqrt(np.square(_x / radius) + np.square((_y - top) / drop))
    handle = (arc < 1) & (arc > draw(0.7, 0.9)) & (_y < top)
    return body | handle, np.abs(_y - top - draw(0.1, 0.4)) < 0.03


_KINDS = (
    _tshirt,
    _trousers,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _boot,
)
