"""Weights and a known sigma are the residual's alone. `python FILE` prints who else speaks of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "bayeslmm"
RESIDUAL = PACKAGE / "spec" / "residual"
# they read the user's options weights= and sigma=
READERS = {
    PACKAGE / name
    for name in (
        "model.py",
        "parity/certificate/rebuilt.py",
        "spec/model_spec.py",
        "spec/in_memory.py",
        "spec/prediction.py",
        "spec/streaming/build.py",
        "spec/streaming/design.py",
        "spec/streaming/rows.py",
    )
}
OTHER_WEIGHTS = {"averages.py", "quadrature.py", "mixture.py"}  # those of a rule's nodes
OLD_WORDS = {"known_sigma", "sigma_known", "structured_residual"}


def offences(path: Path) -> Iterator[str]:
    """What a file says of weights or of a known sigma that is the residual's to say."""
    for node in ast.walk(ast.parse(path.read_text())):
        if path.name not in OTHER_WEIGHTS and _reads_weights(node):
            yield f"{path.relative_to(PACKAGE)}:{node.lineno} weights"
        if _tells_known_sigma(node, compiled=PACKAGE / "kernel" in path.parents):
            yield f"{path.relative_to(PACKAGE)}:{node.lineno} known sigma"


def _reads_weights(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="weights") | ast.Subscript(slice=ast.Constant(value="weights")):
            return True
    return False


def _tells_known_sigma(node: ast.AST, compiled: bool) -> bool:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=word):
            if word in OLD_WORDS:
                return True
    match node:
        case ast.Attribute(attr="sigma", value=ast.Attribute(attr="options" | "spec")):
            return True
        case ast.Attribute(attr="sigma", value=ast.Name(id="options" | "spec")):
            return True
        case ast.Compare(left=ast.Attribute(attr="sigma", value=owner), ops=[ast.Is() | ast.IsNot()]):
            return "residual" not in ast.unparse(owner)
        case ast.Call(func=ast.Attribute(attr="isnan"), args=[argument]):
            return not compiled and "sigma" in ast.unparse(argument)
    return False


FILES = sorted(set(PACKAGE.rglob("*.py")) - READERS - set(RESIDUAL.rglob("*.py")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_residual_is_one_record(path: Path) -> None:
    assert list(offences(path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "root = np.sqrt(design.weights)",
        'root = design.residual.data["weights"]',
        "free = fit.options.sigma is None",
        "free = model.spec.sigma is None",
        "free = priors.sigma is None",
        "labels(design, sigma_known=True)",
        "sigma = target.known_sigma",
        "free = np.isnan(criterion.sigma)",
    ],
)
def test_every_old_spelling_is_seen(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    (tmp_path / "file.py").write_text(line)
    assert list(offences(tmp_path / "file.py"))


if __name__ == "__main__":
    found = [offence for path in FILES for offence in offences(path)]
    print("\n".join(found), f"\n{len(found)} in {len({each.split(':')[0] for each in found})} files")
