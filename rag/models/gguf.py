"""A GGUF file checked before any library reads it: its header, and that its tensors lie inside.

A file that somebody hands over may be cut off, damaged or made to do harm. llama.cpp and numpy
trust counts and lengths of the header more than they should; here none is believed that the
file's size does not bear out, and nothing is allocated by it.
"""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import BinaryIO

from rag.errors import ModelError

_VERSIONS = (2, 3)
_MOST_TENSORS, _MOST_FIELDS = 100_000, 10_000
_LONGEST_KEY, _LONGEST_TENSOR_NAME = 65_535, 64  # bytes
_DEEPEST_ARRAY = 2
_MOST_DIMENSIONS = 4
_STRING, _ARRAY = 8, 9
# Bytes of a value by its type's number; strings and arrays tell their own length.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_ALIGNMENT = 32  # where `general.alignment` says nothing else


class _Broken(Exception):
    """What is wrong, to follow "the file"."""


def check_gguf(path: Path) -> None:
    """Raises ModelError for a file that is no GGUF file or whose header cannot be true."""
    try:
        with path.open("rb") as handle:
            _Header(handle, os.fstat(handle.fileno()).st_size).check()
    except OSError as error:
        raise ModelError(
            f"The model {path} cannot be read: {error.strerror}.", "Allow reading that file."
        ) from error
    except _Broken as broken:
        raise ModelError(
            f"{path} is not a GGUF file that can be used: {broken}.",
            "Choose another: rag models use NAME, or [generator] model in rag.toml.",
        ) from None


class _Header:
    """Reads a header from its beginning; `left` bytes of the file follow."""

    def __init__(self, handle: BinaryIO, size: int) -> None:
        self._handle = handle
        self._size = size
        self._at = 0
        self._alignment = _ALIGNMENT

    def check(self) -> None:
        if self._take(4) != b"GGUF":
            raise _Broken("it does not begin as one")
        version = self._number("<I")
        if version not in _VERSIONS:
            raise _Broken(f"its version is {version}, and {_VERSIONS[-1]} is the newest known")
        tensors, fields = self._number("<Q"), self._number("<Q")
        if tensors > _MOST_TENSORS or fields > _MOST_FIELDS:
            raise _Broken("it claims more tensors or settings than any model has")
        seen: set[bytes] = set()
        for _ in range(fields):
            key = self._once(self._string(_LONGEST_KEY), seen)
            self._value(self._number("<I"), key)
        seen = set()
        ends = [self._tensor(seen) for _ in range(tensors)]
        start = -(-self._at // self._alignment) * self._alignment
        if any(start + end > self._size for end in ends):
            raise _Broken("it is cut off: its weights end before they should")

    def _once(self, name: bytes, seen: set[bytes]) -> bytes:
        if name in seen:
            raise _Broken("it says the same thing twice")
        seen.add(name)
        return name

    def _value(self, kind: int, key: bytes, depth: int = 0) -> None:
        if kind == _STRING:
            self._skip(self._number("<Q"))
        elif kind == _ARRAY:
            if depth >= _DEEPEST_ARRAY:
                raise _Broken("its settings are nested too deep")
            inner, count = self._number("<I"), self._number("<Q")
            if inner in _SIZES:
                self._skip(_SIZES[inner] * count)
                return
            if count * 8 > self._size - self._at:  # each string or array takes as much at least
                raise _Broken("a list in it is longer than the file")
            for _ in range(count):
                self._value(inner, b"", depth + 1)
        elif kind not in _SIZES:
            raise _Broken("it holds a setting of an unknown kind")
        elif key == b"general.alignment" and kind == 4:
            self._alignment = self._number("<I")
            if self._alignment not in {1 << power for power in range(3, 17)}:
                raise _Broken("its alignment is impossible")
        else:
            self._skip(_SIZES[kind])

    def _tensor(self, seen: set[bytes]) -> int:
        """Where a tensor's first value must lie, counted from the beginning of the weights."""
        self._once(self._string(_LONGEST_TENSOR_NAME), seen)
        dimensions = self._number("<I")
        if not 0 < dimensions <= _MOST_DIMENSIONS:
            raise _Broken("a tensor in it has an impossible shape")
        shape = [self._number("<Q") for _ in range(dimensions)]
        kind, offset = self._number("<I"), self._number("<Q")
        if 0 in shape:
            raise _Broken("a tensor in it is empty")
        if offset % self._alignment:
            raise _Broken("a tensor in it lies askew")
        return offset + _bytes(kind, math.prod(shape))

    def _string(self, longest: int) -> bytes:
        size = self._number("<Q")
        if size > longest:
            raise _Broken("a name in it is too long")
        return self._take(size)

    def _number(self, form: str) -> int:
        (value,) = struct.unpack(form, self._take(struct.calcsize(form)))
        return int(value)

    def _take(self, count: int) -> bytes:
        data = self._handle.read(count) if count <= self._size - self._at else b""
        if len(data) != count:
            raise _Broken("it is cut off")
        self._at += count
        return data

    def _skip(self, count: int) -> None:
        if count > self._size - self._at:
            raise _Broken("it is cut off")
        self._at += count
        self._handle.seek(self._at)


def _bytes(kind: int, values: int) -> int:
    """Bytes of `values` weights of a type; the type's number is that of ggml."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        raise _Broken("a tensor in it is of an unknown kind") from None
    if values % block:
        raise _Broken("a tensor in it has an impossible shape")
    return values // block * size
