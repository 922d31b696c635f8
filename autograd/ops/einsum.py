"""Einstein's summation: subscripts are parsed here, and everything irregular is removed before the primitive sees them."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, internal
from autograd.ops.reductions import tensor_of

_LETTERS = string.ascii_letters
_LARGEST = 2**31  # elements of a result: a slip of a letter shall not take the machine's memory


def _einsum_kernel(*operands: Array, subscripts: str) -> Array:
    if np.result_type(*operands) == np.float16:  # sums of halves are accumulated in single precision
        wide = [operand.astype(np.float32) for operand in operands]
        return np.asarray(np.einsum(subscripts, *wide, optimize=True)).astype(np.float16)
    return np.asarray(np.einsum(subscripts, *operands, optimize=True))


def _einsum_joint(g: Any, wanted: tuple[bool, ...], _y: Any, *operands: Any, subscripts: str) -> tuple[Any, ...]:
    """The cotangent of an operand: the others and g, summed to the operand's own letters."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    found: list[Any] = []
    for index, term in enumerate(terms):
        if not wanted[index]:
            found.append(None)
            continue
        others = [position for position in range(len(terms)) if position != index]
        spec = ",".join([output, *(terms[position] for position in others)]) + "->" + term
        found.append(np.einsum(spec, g, *(operands[position] for position in others), optimize=True))
    return tuple(found)


_einsum = internal(_einsum_kernel, joint=_einsum_joint, name="einsum")


@implements(np.einsum)
def einsum(subscripts: Any, *operands: Any, optimize: Any = True) -> Any:
    """The sum of products that the subscripts describe: ``einsum("bij,bjk->bik", x, y)``.

    Args:
        subscripts: letters for the axes of each operand, separated by commas, then ``->`` and the axes of the result (without
            it: the letters that occur once, in alphabetical order). ``...`` stands for axes that broadcast. A letter that
            occurs twice in one operand takes its diagonal. Or operands and lists of axis numbers in turn, as in NumPy.
        *operands: the arrays.
        optimize: accepted for NumPy's sake; the order of the products is always optimized.

    Raises:
        ValueError: for subscripts that do not fit the operands, and results of more than 2**31 elements.

    >>> import autograd as ag
    >>> ag.einsum("ii", ag.tensor([[1.0, 2.0], [3.0, 4.0]])).item()
    5.0
    """
    del optimize
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists((subscripts, *operands))
    elif len(operands) == 1 and isinstance(operands[0], list | tuple) and any(hasattr(each, "_data") for each in operands[0]):
        operands = tuple(operands[0])  # as PyTorch takes them too
    tensors = [tensor_of(operand, "einsum") for operand in operands]
    terms, output = _parse(subscripts, [tensor.ndim for tensor in tensors])
    sizes = _sizes(terms, output, tensors)
    cleaned = [_squeezed(*_diagonal(term, tensor), sizes) for term, tensor in zip(terms, tensors, strict=True)]
    pairs = [_summed(index, cleaned, output) for index in range(len(cleaned))]
    terms, tensors = [term for term, _ in pairs], [tensor for _, tensor in pairs]
    if len(tensors) == 1:
        return np.transpose(tensors[0], tuple(terms[0].index(letter) for letter in output))
    return _einsum(*tensors, subscripts=",".join(terms) + "->" + output)


def _from_lists(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Subscripts and operands of the form ``einsum(x, [0, 1], y, [1, 2], [0, 2])``."""

    def letters(axes: Any) -> str:
        for axis in axes:
            if axis is not Ellipsis and not (isinstance(axis, int) and 0 <= axis < len(_LETTERS)):
                raise ValueError(f"einsum: expected axis numbers from 0 to {len(_LETTERS) - 1}, got {axis!r}")
        return "".join("..." if axis is Ellipsis else _LETTERS[axis] for axis in axes)

    pairs = len(given) // 2
    if pairs == 0 or not all(isinstance(axes, list | tuple) for axes in given[1 : 2 * pairs : 2]):
        raise ValueError("einsum: expected a string of subscripts, or operands and lists of axis numbers in turn")
    spec = ",".join(letters(axes) for axes in given[1 : 2 * pairs : 2])
    if len(given) % 2:
        spec += "->" + letters(given[-1])
    return spec, given[0 : 2 * pairs : 2]


def _parse(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with letters of their own in the place of ``...``."""
    spec = "".join(subscripts.split())
    inputs, arrow, output = spec.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: expected {len(terms)} operands for {subscripts!r}, got {len(ndims)}")
    for term in (*terms, output):
        bare = term.replace("...", "", 1)
        if not all(letter in _LETTERS for letter in bare):
            raise ValueError(f"einsum: expected letters, commas, '...' and one '->', got {subscripts!r}")
    spread = 0
    for term, ndim in zip(terms, ndims, strict=True):
        rest = ndim - len(term.replace("...", ""))
        if rest < 0 or (rest and "..." not in term):
            raise ValueError(f"einsum: expected an operand with the axes {term!r}, got one of {ndim} axes")
        if "..." in term:
            spread = max(spread, rest)
    free = [letter for letter in _LETTERS if letter not in spec]
    if spread > len(free):
        raise ValueError(f"einsum: expected at most {len(_LETTERS)} different axes, got {subscripts!r} with {spread} for '...'")
    dots = "".join(free[:spread])
    if not arrow:
        named = inputs.replace("...", "").replace(",", "")
        output = "..." + "".join(sorted(letter for letter in set(named) if named.count(letter) == 1))
    full = [
        term.replace("...", dots[spread - (ndim - len(term.replace("...", ""))) :]) if "..." in term else term
        for term, ndim in zip(terms, ndims, strict=True)
    ]
    return full, output.replace("...", dots)


def _sizes(terms: list[str], output: str, tensors: list[Any]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms, tensors, strict=True):
        for letter, size in zip(term, tensor.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known != size and 1 not in (known, size):
                raise ValueError(f"einsum: expected one size for axis {letter!r}, got {known} and {size}")
            if known == 1:
                sizes[letter] = size
    for letter in output:
        if letter not in sizes or output.count(letter) > 1:
            raise ValueError(f"einsum: expected axes of the operands, each once, in the result, got {output!r}")
    if math.prod(sizes[letter] for letter in output) > _LARGEST:
        raise ValueError(f"einsum: expected a result of at most {_LARGEST} elements, got {[sizes[c] for c in output]}")
    return sizes


def _squeezed(term: str, tensor: Any, sizes: dict[str, int]) -> tuple[str, Any]:
    """Without the axes of size 1 that broadcast: a product does that by itself."""
    kept = [axis for axis, letter in enumerate(term) if tensor.shape[axis] == sizes[letter]]
    if len(kept) == len(term):
        return term, tensor
    return "".join(term[axis] for axis in kept), np.reshape(tensor, tuple(tensor.shape[axis] for axis in kept))


def _diagonal(term: str, tensor: Any) -> tuple[str, Any]:
    """With every letter once: repeated ones take the diagonal."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            if tensor.shape[first] != tensor.shape[second]:
                raise ValueError(f"einsum: expected equal sizes for {letter!r} twice in one operand, got shape {tensor.shape}")
            tensor = np.diagonal(tensor, 0, first, second)  # the diagonal becomes the last axis
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return term, tensor


def _summed(index: int, pairs: list[tuple[str, Any]], output: str) -> tuple[str, Any]:
    """Without the letters that nothing else has: their sum is taken first."""
    term, tensor = pairs[index]
    elsewhere = output + "".join(other for position, (other, _) in enumerate(pairs) if position != index)
    alone = tuple(axis for axis, letter in enumerate(term) if letter not in elsewhere)
    if not alone:
        return term, tensor
    return "".join(letter for letter in term if letter in elsewhere), np.sum(tensor, axis=alone)
