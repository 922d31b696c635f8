"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of ``path`` when the block ends, and leaves no trace when it raises.

    The bytes go to a new file in the same folder, reach the disk (fsync), and only then the name is moved to them, which
    the file system does at once; the folder is synced last. So whoever reads ``path`` finds the old file or the new one,
    whole, whenever the process dies and however many write at the same time (the last one wins). A process that is killed
    may leave its unfinished ``.*.tmp`` behind. A symbolic link stays, and the file it points to is replaced. A new file has
    the rights that the umask leaves, an old one keeps its own.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, "save: expected a name for a file, got a directory", path)
    if os.path.islink(target):
        raise OSError(errno.ELOOP, "save: expected a link that leads to a file, got a circle of links", path)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    # O_EXCL: never into a file, or through a link, that somebody else put there
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if hasattr(os, "fchmod") and os.path.exists(target):
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(target).st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Makes the new name last through a power cut, where the system can: some file systems have no fsync of folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
