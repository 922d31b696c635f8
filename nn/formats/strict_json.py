"""JSON from a file that nobody vouches for: no duplicate keys, no NaN, no endless nesting."""

from __future__ import annotations

import json
from typing import Any

from nn.formats.errors import CheckpointError, shown


def parse_object(raw: bytes, what: str, path: str) -> dict[str, Any]:
    """A JSON object as a dictionary.

    Args:
        raw: the text, in UTF-8.
        what: it is, for messages.
        path: of the file it is from.

    Raises:
        CheckpointError: for anything but an object in JSON, with each key once.
    """

    def refuse(reason: str) -> CheckpointError:
        return CheckpointError("load", path, reason)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):  # json would keep the last one without a word
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise refuse(f"expected each key of {what} once, got {shown(twice)} twice")
        return found

    def constant(text: str) -> Any:
        raise refuse(f"expected numbers that JSON has, got {text} in {what}")

    try:
        found = json.loads(raw.decode(), object_pairs_hook=unique, parse_constant=constant)
    except CheckpointError:
        raise
    except UnicodeDecodeError as error:
        raise refuse(f"expected {what} in UTF-8, got byte {raw[error.start]:#04x} at {error.start}") from None
    except RecursionError:
        raise refuse(f"expected {what} to be flat, got JSON nested too deep to read") from None
    except json.JSONDecodeError as error:
        raise refuse(f"expected {what} in JSON, got an error at {error.pos}: {error.msg}") from None
    except ValueError:  # int() refuses them
        raise refuse(f"expected numbers below 2**63 in {what}, got one of thousands of digits") from None
    if not isinstance(found, dict):
        raise refuse(f"expected a JSON object as {what}, got {type(found).__name__}")
    return found


def strings(found: Any, what: str, path: str) -> dict[str, str]:
    """``found`` as a dictionary of strings.

    Raises:
        CheckpointError: for anything else.
    """
    if not isinstance(found, dict):
        raise CheckpointError("load", path, f"expected {what} to be an object, got {type(found).__name__}")
    for name, value in found.items():
        if not isinstance(value, str):
            reason = f"expected strings in {what}, got {type(value).__name__} for {shown(name)}"
            raise CheckpointError("load", path, reason)
    return found
