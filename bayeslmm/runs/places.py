"""Files and folders that results go to: proved to be writable before anything is computed for them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayeslmm.errors import OutputError


@contextmanager
def writing(what: str, advice: str = "name another place") -> Iterator[None]:
    """Whatever the system says against writing is the package's error.

    Raises
    ------
    OutputError
        For a folder that isn't there, a file system that can't be written, a name that is too long, ...
    """
    try:
        yield
    except OutputError:
        raise
    except (OSError, ValueError) as error:  # a NUL in a name is a ValueError
        said = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{what} can't be written: {said}; {advice}") from error


def prove_folder(folder: Path, advice: str = "name another one") -> None:
    """Make a folder and see that files can be made in it.

    Raises
    ------
    OutputError
        When they can't.
    """
    with writing(f"the folder {folder}", advice):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def prove_file(path: Path, name: str | None = None, advice: str = "name another one") -> Path:
    """See that a file can be written, and give its path; what is there stays, and nothing is left behind.

    Parameters
    ----------
    name : of the file where `path` is a folder.

    Raises
    ------
    OutputError
        When it can't.
    """
    with writing(f"the file {path}", advice):
        path = path / name if name and path.is_dir() else path
        path.parent.mkdir(parents=True, exist_ok=True)
        was_there = path.exists()
        path.open("ab").close()
        if not was_there:
            path.unlink()
    return path
