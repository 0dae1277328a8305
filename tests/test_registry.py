"""Kinds found by their word, folders walked."""

import sys
from typing import ClassVar

import pytest

from bayeslmm.errors import OptionError
from bayeslmm.registry import Registered, import_folder


class Shape(Registered):
    """A family for these tests."""


class Round(Shape):
    """A step between: no word."""


class Circle(Round):
    keyword = "circle"


class Other(Registered):
    """A family of its own."""


def test_a_kind_is_found_by_its_word_however_deep_it_lies():
    class Arc(Circle):
        keyword = "arc"

    class Unnamed(Circle):
        pass

    assert Shape.kinds() == {"arc": Arc, "circle": Circle}
    assert list(Shape.kinds()) == ["arc", "circle"]
    assert Other.kinds() == {}


def test_what_is_declared_must_be_said():
    class Solid(Shape):
        corners: ClassVar[int]
        colour: ClassVar[str] = "grey"

    with pytest.raises(OptionError, match=r"Cube, 'cube', has no corners; give the class a value"):

        class Cube(Solid):
            keyword = "cube"

    assert "cube" not in Shape.kinds()


def test_the_list_is_a_copy():
    Shape.kinds().clear()
    assert "circle" in Shape.kinds()


def test_a_word_that_is_taken_is_refused():
    with pytest.raises(OptionError, match=r"'circle' is the word of .*Circle and can't be that of .*Ring"):

        class Ring(Shape):
            keyword = "circle"

    assert Shape.kinds()["circle"] is Circle


def test_a_cell_run_again_replaces_its_class():
    def cell():
        class Square(Shape):
            keyword = "square"

        return Square

    first, second = cell(), cell()
    assert first is not second
    assert Shape.kinds()["square"] is second


def test_a_new_file_of_a_folder_is_found(tmp_path, monkeypatch):
    folder = tmp_path / "shapes_in_a_folder"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from bayeslmm.registry import import_folder\nimport_folder(__name__, __path__)\n"
    )
    (folder / "base.py").write_text(
        "from bayeslmm.registry import Registered\nclass Found(Registered):\n    pass\n"
    )
    (folder / "new.py").write_text(
        "from shapes_in_a_folder.base import Found\nclass New(Found):\n    keyword = 'new'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import shapes_in_a_folder.base as base

    assert list(base.Found.kinds()) == ["new"]
    for name in [name for name in sys.modules if name.startswith("shapes_in_a_folder")]:
        del sys.modules[name]


def test_a_folder_with_a_broken_file_says_so(tmp_path, monkeypatch):
    (tmp_path / "broken_shape.py").write_text("raise RuntimeError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError):
        import_folder("no_such_package", [str(tmp_path)])
