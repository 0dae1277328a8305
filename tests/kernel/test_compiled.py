"""Where compiled code is cached, and when it is made anew: a small package around the real module."""

import os
import shutil
import subprocess
import sys

import pytest

from bayeslmm.kernel import compiled

CALLEE = """
from tiny.kernel.compiled import compiled_always

@compiled_always
def step(x):
    return x + {size}
"""

CALLER = """
from tiny.kernel.compiled import compiled_always
from tiny.kernel.factor.callee import step

@compiled_always
def walk(x):
    return step(x)
"""

CALL = """
from tiny.kernel.caller import walk
print(walk(1), sum(walk.stats.cache_hits.values()), walk.stats.cache_path)
"""


class TinyPackage:
    """A package of two compiled functions, one calling the other, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.room = folder / "tiny" / "kernel"
        (self.room / "factor").mkdir(parents=True)
        shutil.copy(compiled.__file__, self.room / "compiled.py")
        (self.room / "caller.py").write_text(CALLER)
        self.write_callee(size=1)

    def write_callee(self, size):
        (self.room / "factor" / "callee.py").write_text(CALLEE.format(size=size))

    def forbid_cache_beside_it(self):
        (self.room / "__pycache__").write_text("a file, so that no folder can be made; binds root too")

    def call(self, user_cache):
        """Call in a new process: (value, hits of the disk cache, cache folder)."""
        environment = os.environ | {"XDG_CACHE_HOME": str(user_cache), "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("NUMBA_CACHE_DIR", None)
        command = [sys.executable, "-c", CALL]
        run = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        value, hits, path = run.stdout.split()
        return int(value), int(hits), path


@pytest.fixture
def package(tmp_path):
    return TinyPackage(tmp_path)


def test_second_process_finds_the_code_beside_the_package(package, tmp_path):
    assert package.call(tmp_path / "cache")[:2] == (2, 0)
    assert package.call(tmp_path / "cache") == (2, 1, str(package.room / "__pycache__"))


def test_callee_edited_in_another_folder_is_seen(package, tmp_path):
    package.call(tmp_path / "cache")
    package.write_callee(size=100)
    assert package.call(tmp_path / "cache")[:2] == (101, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache folder is placed by XDG_CACHE_HOME")
def test_read_only_package_uses_the_user_s_folder(package, tmp_path):
    package.forbid_cache_beside_it()
    assert package.call(tmp_path / "cache")[:2] == (2, 0)
    value, hits, path = package.call(tmp_path / "cache")
    assert (value, hits) == (2, 1)
    assert path.startswith(str(tmp_path / "cache"))


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache folder is placed by XDG_CACHE_HOME")
def test_nothing_writable_compiles_in_memory(package, tmp_path):
    package.forbid_cache_beside_it()
    (tmp_path / "file").write_text("")
    assert package.call(tmp_path / "file" / "cache") == (2, 0, "None")
