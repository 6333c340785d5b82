"""The members of a zip archive, unpacked in memory one by one and under caps; nothing of it is written anywhere.

What an archive says of its own sizes is not believed: unpacking ends at the cap. Zstandard is read
beside what the standard library knows, since logs of Inspect are packed with it.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pyarrow as pa

from triage_core.errors import InvalidReport

MAX_DIRECTORY_BYTES = 10_000_000
MAX_MEMBER_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 4_000_000_000
_ZSTANDARD = 93
_CHUNK = 1_000_000
_ENCRYPTED = 1
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_UNSOUND = (BadZipFile, zlib.error, EOFError, OSError, struct.error, RuntimeError, ValueError)


class Archive:
    """The archive in a stream that can be sought in. Raises `InvalidReport` for what is none."""

    def __init__(self, stream: BinaryIO) -> None:
        if not stream.seekable():
            raise InvalidReport("file", "is an archive and must come as a file, not through a pipe")
        self._stream = stream
        self._left = MAX_UNPACKED_BYTES
        try:
            self._zip = ZipFile(_Sparing(stream))
        except _UNSOUND:
            raise InvalidReport("file", "must be a sound zip archive") from None
        # Of two members with one name the last one counts, as for every reader of zip archives.
        self._members = {member.filename: member for member in self._zip.infolist()}
        # Members that share their bytes are unpacked over and over, also to nothing, which no cap would end.
        if sum(member.compress_size for member in self._members.values()) > stream.seek(0, io.SEEK_END):
            raise InvalidReport("file", "must be a sound zip archive")
        self.names = list(self._members)

    @property
    def spent(self) -> bool:
        """Whether all that may be unpacked of one archive has been."""
        return self._left <= 0

    def read(self, name: str) -> bytes:
        """The content of a member. Raises `InvalidReport` when it is over a cap, damaged or packed otherwise."""
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            raise InvalidReport("member", "must not be encrypted")
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED, _ZSTANDARD):
            raise InvalidReport("member", "must be stored, or packed by deflate or Zstandard")
        try:
            if member.compress_type == _ZSTANDARD:
                content = self._unpacked(self._zstandard(member).read)
                if zlib.crc32(content) != member.CRC:
                    raise BadZipFile
                return content
            with self._zip.open(member) as packed:
                return self._unpacked(packed.read)
        except _UNSOUND:
            raise InvalidReport("member", "must be a sound part of the archive, and is damaged") from None

    def _unpacked(self, read: Callable[[int], bytes]) -> bytes:
        content = bytearray()
        while chunk := read(_CHUNK):
            content += chunk
            self._left -= len(chunk)
            if len(content) > MAX_MEMBER_BYTES:
                raise InvalidReport(
                    "member", f"must be at most {MAX_MEMBER_BYTES:,} bytes long when unpacked"
                )
            if self.spent:
                rule = (
                    f"must be at most {MAX_UNPACKED_BYTES:,} bytes long when unpacked: the rest is not read"
                )
                raise InvalidReport("file", rule)
        return bytes(content)

    def _zstandard(self, member: ZipInfo) -> Any:
        self._stream.seek(member.header_offset)
        begins, name, extra = _LOCAL_HEADER.unpack(self._stream.read(_LOCAL_HEADER.size))
        if begins != b"PK\x03\x04":
            raise BadZipFile
        self._stream.seek(name + extra, io.SEEK_CUR)
        window = pa.PythonFile(_Window(self._stream, member.compress_size), mode="r")
        return pa.CompressedInputStream(window, "zstd")


class _Window(io.RawIOBase):
    """The next `length` bytes of a stream."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        found = self._stream.read(min(wanted, _CHUNK))
        self._left -= len(found)
        return found


class _Sparing:
    """A stream for ZipFile, which reads the whole directory of an archive at once, however long it claims to be."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise InvalidReport("file", f"must have a directory of at most {MAX_DIRECTORY_BYTES:,} bytes")
        found = self._stream.read(size if size >= 0 else MAX_DIRECTORY_BYTES + 1)
        if len(found) > MAX_DIRECTORY_BYTES:
            raise InvalidReport("file", f"must have a directory of at most {MAX_DIRECTORY_BYTES:,} bytes")
        return found
