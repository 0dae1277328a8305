"""The manifest, and code that does it again."""

from collections.abc import Iterator, Mapping
from typing import Any

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render.page.blocks import Block, Code, Facts, Folded, Text


class Reproduce(ReportSection):
    """What was run, with which versions and seeds."""

    name = "manifest"
    place = 100
    title = "To do it again"
    short = "Manifest"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        manifest = parity.manifest.to_dict()
        yield Facts(_facts(manifest))
        if code := _code(manifest):
            yield Text("With the manifest as manifest.json, and the rows at hand:", "soft")
            yield Code(code, "python")
        yield Folded("The manifest", (Code(parity.manifest.to_json(), "json", "manifest-json"),))


def _facts(manifest: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    packages = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    seeds = ", ".join(f"{role} {seed}" for role, seed in manifest["seeds"].items())
    return (
        ("Formula", manifest["formula"]),
        ("Data hash", manifest["data_hash"]),
        ("Seeds", seeds or "none"),
        ("Versions", packages),
        ("Python", manifest["python"]),
        ("Platform", manifest["platform"]),
        ("Written", manifest["created"]),
    )


def _code(manifest: Mapping[str, Any]) -> str:
    """Of a whole run that a manifest holds; other comparisons were made by their own code."""
    run = manifest["options"].get("run")
    if not run:
        return ""
    options = ", ".join(f"{name}={value!r}" for name, value in run.items() if name != "seed")
    return (
        "import bayeslmm as bl\n\n"
        'print(bl.rerun("manifest.json", data))  # compares with parity.csv beside it\n\n'
        "# or, with the model's other arguments and priors as the manifest has them:\n"
        f"model = bl.LinearMixedModel({manifest['formula']!r}, data)\n"
        f"par = model.parity({run['seed']}, {options})"
    )
