"""Special functions on arrays, in pure NumPy: values only, no derivatives.

Each is a polynomial or rational interpolant at Chebyshev nodes (computed with 50 digits; the exact degree is where its error
falls below 3e-16), an asymptotic series, or a reflection onto these. Relative error in float64: below 1e-13, apart from
neighbourhoods of the zeros of lgamma and digamma on the negative axis, where the error is relative to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array, clipped
from autograd.ops.gate import choose

BLOCK = 32768  # elements worked on at a time, so that temporaries stay in the cache

# e^(x²) erfc(x) (x + 4) by powers of t = (x - 4) / (x + 4), for 0 <= x <= 28
_ERFCX = (
    1.095995661000491,
    -0.976548729080882,
    0.7732087022652453,
    -0.540853831313232,
    0.3308515878775732,
    -0.17401093724020053,
    0.07638151491851647,
    -0.026370053333114825,
    0.006112055557500744,
    -0.0002809589581115879,
    -0.0004550520850287462,
    0.00017681347792436317,
    -3.637368094617784e-06,
    -1.88636825726794e-05,
    4.699262077965546e-06,
    1.4314173217233973e-06,
    -8.522279909356253e-07,
    -8.667466799943592e-08,
    1.2738540695049036e-07,
    1.0296397494415425e-08,
    -1.490396715699329e-08,
    -3.227131784144005e-09,
)
# erf(x) / x by powers of x², for |x| <= 1
_ERF = (
    1.1283791670955126,
    -0.37612638903183543,
    0.11283791670945006,
    -0.02686617064323777,
    0.0052239776071164225,
    -0.0008548325975389692,
    0.00012055294904839707,
    -1.492473690741966e-05,
    1.6447424703317362e-06,
    -1.6208483801871705e-07,
    1.3720064546777686e-08,
    -7.795898827002142e-10,
)
# atanh(erf(x)) / x by powers of x², least squares with weights: erf(x) to 2.5e-7, relative, for every x
ERF_SINGLE = (
    1.1283792738790643,
    0.10276905932713334,
    -0.0001918380654840835,
    -0.0006197789972077721,
    8.763540496016409e-05,
    -5.6681922306508815e-06,
    1.4183758452445596e-07,
)
# lgamma(x) / ((x - 1) (x - 2)) by powers of x - 1.5, for 0.5 <= x <= 2.5
_LGAMMA_P = (
    0.4831289505409809,
    1.4214434745549442,
    1.7395300081384883,
    1.1449356185177677,
    0.4373420216776117,
    0.09743375963794959,
    0.012035140374734223,
    0.0007242625185871944,
    1.547851918602133e-05,
    2.5584691306801105e-08,
)
_LGAMMA_Q = (
    1.0,
    3.2442754024865605,
    4.4504737394034946,
    3.356728833851421,
    1.5152901330490363,
    0.41748201078985314,
    0.06854000257044492,
    0.006236146417331542,
    0.0002688485668896856,
    3.738464513393062e-06,
)
# digamma(x) / (x - root) by powers of x - 1.5, for 1 <= x <= 2
_DIGAMMA_P = (
    0.9510558760318328,
    1.1663702567214969,
    0.5137384479970142,
    0.0998201733015596,
    0.008297484863617567,
    0.00022636249078624788,
    4.22009395907132e-07,
)
_DIGAMMA_Q = (
    1.0,
    1.6718236205395554,
    1.0319333676352624,
    0.2978119036558111,
    0.041378314480827155,
    0.0025031842360786877,
    4.664959078686044e-05,
)
_DIGAMMA_ROOT = (1.4616321449683622, 9.549995429965697e-17)  # its zero, as a sum of two floats

# Bernoulli numbers B_2, B_4, ...
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's scheme in one buffer."""
    y = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        y *= x
        y += coefficient
    return y


def floating(x: Any) -> Array:
    """x as an array of floats."""
    array: Array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def by_blocks(function: Callable[..., Array], single: Callable[..., Array] | None = None) -> Callable[..., Array]:
    """A kernel for arrays of any shape and dtype from functions of float64 (and, if given, float32) blocks."""

    def kernel(x: Any, **static: Any) -> Array:
        x = np.asarray(x)
        if x.dtype == np.float64 and x.ndim and x.size <= BLOCK:
            return function(x, **static)
        if single is not None and x.dtype == np.float32 and x.ndim and x.size <= BLOCK:
            return single(x)
        out = np.empty(x.shape, x.dtype if x.dtype.kind == "f" else np.float64)
        work, dtype = (function, np.float64) if single is None or out.dtype == np.float64 else (single, np.float32)
        source, target = x.reshape(-1), out.reshape(-1)
        for start in range(0, source.size, BLOCK):
            block = slice(start, start + BLOCK)
            target[block] = work(source[block].astype(dtype, copy=False), **static)
        return out

    return kernel


def _at(x: Array, regions: list[tuple[Array, Callable[[Array], Array]]]) -> Array:
    """A function given by region; nan outside them all."""
    out = np.full_like(x, np.nan)
    for mask, function in regions:
        if mask.all():
            return function(x)
        if mask.any():
            out[mask] = function(x[mask])
    return out


# ------------------------------------------------------------------------------------------------ error function


def erfc_positive(z: Array) -> Array:
    """erfc for z >= 0. The square is split, since a rounding error of z² would grow with z² in its exponential."""
    z = np.minimum(z, 28.0)  # where it is 0
    head = z.astype(np.float32).astype(np.float64)
    y = _polynomial(_ERFCX, (z - 4.0) / (z + 4.0))
    y /= z + 4.0
    y *= np.exp(-head * head)
    y *= np.exp((head - z) * (head + z))
    return y


def erfc_block(x: Array) -> Array:
    y = erfc_positive(np.abs(x))
    return choose(x < 0, 2.0 - y, y)


def _erf(x: Array) -> Array:
    z = clipped(x, -6.0, 6.0)
    return choose(np.abs(z) < 1.0, z * _polynomial(_ERF, z * z), np.copysign(1.0 - erfc_positive(np.abs(z)), z))


def erf_single(x: Array) -> Array:
    """erf in float32, as a tanh, which NumPy has in vector instructions."""
    y = _polynomial(ERF_SINGLE, x * x)
    y *= x
    return np.tanh(y, out=y)


erf = by_blocks(_erf, erf_single)
erfc = by_blocks(erfc_block)

# ------------------------------------------------------------------------------------------------ gamma function


def _lgamma_middle(x: Array) -> Array:
    """For 0.5 <= x <= 2.5, where it has two zeros."""
    return (x - 1.0) * (x - 2.0) * (_polynomial(_LGAMMA_P, x - 1.5) / _polynomial(_LGAMMA_Q, x - 1.5))


def _stirling(x: Array) -> Array:
    """log Γ(x) for x >= 9.5."""
    s = 1.0 / (x * x)
    series = _polynomial(tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI[:8], start=1)), s)
    return (x - 0.5) * (np.log(x) - 1.0) - 0.5 + _LOG_SQRT_2PI + series / x


def _lgamma_shifted(x: Array) -> Array:
    """For 2.5 <= x <= 10: Γ(x) = Γ(x + 7) / (x (x + 1) ... (x + 6))."""
    product = x.copy()
    for k in range(1, 7):
        product *= x + k
    return _stirling(x + 7.0) - np.log(product)


def _lgamma_positive(x: Array) -> Array:
    return _at(
        x,
        [
            (x < 0.5, lambda x: _lgamma_middle(1.0 + x) - np.log(x)),
            ((x >= 0.5) & (x <= 2.5), _lgamma_middle),
            ((x > 2.5) & (x < 10.0), _lgamma_shifted),
            (x >= 10.0, _stirling),
        ],
    )


def _sin_pi(x: Array) -> Array:
    """|sin(πx)|, exact at integers."""
    return np.abs(np.sin(math.pi * (x - np.rint(x))))


def _lgamma(x: Array) -> Array:
    return _at(
        x,
        [
            (x > 0, _lgamma_positive),
            ((x <= 0) & (x > -0.5), lambda x: _lgamma_middle(1.0 + x) - np.log(-x)),
            ((x <= -0.5) & (x > -np.inf), lambda x: np.log(math.pi / _sin_pi(x)) - _lgamma_positive(1.0 - x)),
            (x == -np.inf, np.abs),
        ],
    )


lgamma = by_blocks(_lgamma)

# ------------------------------------------------------------------------------------------------ its derivatives


def _digamma_middle(x: Array) -> Array:
    """For 1 <= x <= 2, where it has a zero."""
    root, rest = _DIGAMMA_ROOT
    return ((x - root) - rest) * (_polynomial(_DIGAMMA_P, x - 1.5) / _polynomial(_DIGAMMA_Q, x - 1.5))


def _digamma_large(x: Array) -> Array:
    s = 1.0 / (x * x)
    return np.log(x) - 0.5 / x - s * _polynomial(tuple(b / (2 * k) for k, b in enumerate(_BERNOULLI[:8], start=1)), s)


def _digamma_shifted(x: Array) -> Array:
    y = _digamma_large(x + 8.0)
    for k in range(8):
        y -= 1.0 / (x + k)
    return y


def _digamma_positive(x: Array) -> Array:
    return _at(
        x,
        [
            (x < 1.0, lambda x: _digamma_middle(1.0 + x) - 1.0 / x),
            ((x >= 1.0) & (x <= 2.0), _digamma_middle),
            ((x > 2.0) & (x < 10.0), _digamma_shifted),
            (x >= 10.0, _digamma_large),
        ],
    )


def _cotangent_pi(x: Array) -> Array:
    """cot(πx); nan at integers."""
    r = x - np.rint(x)
    return choose(r == 0, np.nan, 1.0 / np.tan(math.pi * r))


def _digamma(x: Array) -> Array:
    return _at(
        x,
        [
            (x > 0, _digamma_positive),
            (x == 0, lambda x: -1.0 / x),
            (x < 0, lambda x: _digamma_positive(1.0 - x) - math.pi * _cotangent_pi(x)),
        ],
    )


digamma = by_blocks(_digamma)


def _hurwitz_zeta(s: int, x: Array) -> Array:
    """The sum of (x + k)^-s over k >= 0, for x > 0: the first terms, and the Euler-Maclaurin formula for the rest."""
    terms = 10 + s
    total = np.zeros_like(x)
    for k in range(terms):
        total += (x + k) ** -s
    w = x + terms
    total += w ** (1 - s) / (s - 1) + 0.5 * w**-s
    factor = 0.5 * s  # s (s + 1) ... (s + 2k - 2) / (2k)!
    for k, bernoulli in enumerate(_BERNOULLI, start=1):
        total += bernoulli * factor * w ** (1 - s - 2 * k)
        factor *= (s + 2 * k - 1) * (s + 2 * k) / ((2 * k + 1) * (2 * k + 2))
    return total


def _cotangent_derivative(n: int, c: Array) -> Array:
    """The n-th derivative of cot, as the polynomial in c = cot that -(1 + c²) d/dc makes of c, n times."""
    polynomial = np.array([0.0, 1.0])
    for _ in range(n):
        polynomial = -np.polynomial.polynomial.polymul([1.0, 0.0, 1.0], np.polynomial.polynomial.polyder(polynomial))
    value: Array = np.polynomial.polynomial.polyval(c, polynomial)
    return value


def _polygamma(x: Array, *, n: int) -> Array:
    scale = (-1.0) ** (n + 1) * math.factorial(n)
    mirror = (-1.0) ** n
    return _at(
        x,
        [
            (x > 0, lambda x: scale * _hurwitz_zeta(n + 1, x)),
            (x == 0, lambda x: scale / x ** (n + 1)),
            (
                x < 0,
                lambda x: (
                    mirror * scale * _hurwitz_zeta(n + 1, 1.0 - x)
                    - math.pi ** (n + 1) * _cotangent_derivative(n, _cotangent_pi(x))
                ),
            ),
        ],
    )


polygamma = by_blocks(_polygamma)  # the n-th derivative of digamma, n >= 1
