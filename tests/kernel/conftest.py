"""The kernel is tested as it is compiled, however small the problem."""

import pytest

from bayeslmm.kernel.interpreted import Interpreted


@pytest.fixture(autouse=True)
def compiled_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.name != "test_interpreted.py":
        monkeypatch.setattr(Interpreted, "affords", lambda *_: False)
