"""Two states of the package in turn: ``python -m tests.benchmarks.base_and_head BASE [HEAD] [--rounds 5]``.

Each round is a process a state, base and head in turn, so that what else the machine does falls on both. A
first round, which compiles, isn't counted. Prints the medians and their ratio; what base can't do yet is
"not there".
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.benchmarks.likelihood import milliseconds, table

ROOT = Path(__file__).parents[2]
type Round = dict[str, dict[str, float]]  # seconds by state and call
TIMED = """
import json, time, bayeslmm as bl
fitted = lambda formula, data: bl.LinearMixedModel(formula, data).fit().beta
sleep = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
ratings = bl.load_dataset("InstEval")
fit = sleep.fit()
calls = {
    "sleepstudy, whole call": (lambda: fitted(sleep.spec.formula, sleep.data), 30),
    "InstEval, whole call": (lambda: fitted("y ~ service + (1 | s) + (1 | d)", ratings), 2),
    "sleepstudy, 2,000 replicates": (lambda: fit.bootstrap(2000, seed=1, progress=False).values, 2),
    "sleepstudy, posterior": (lambda: sleep.sample(seed=1), 3),
    "sleepstudy, ladder": (lambda: bl.compare(sleep.fit(), post).ladder, 2),
}
post = sleep.sample(seed=1)
found = {}
for name, (call, repeats) in calls.items():
    try:
        call()
    except AttributeError:  # a verb that this state doesn't have
        continue
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    found[name] = (time.perf_counter() - start) / repeats
print(json.dumps(found))
"""


def measured(tree: str) -> dict[str, float]:
    """Seconds of each call, by the package in a tree."""
    environment = os.environ | {"PYTHONPATH": tree, "NUMBA_CACHE_DIR": f"{tree}/.numba"}
    command = [sys.executable, "-P", "-W", "ignore", "-c", TIMED]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{Path(tree).name} can't be timed:\n{done.stderr}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True)


def main() -> None:
    """Check both states out, measure in turn, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("base")
    asked.add_argument("head", nargs="?", default="HEAD")
    asked.add_argument("--rounds", type=int, default=5)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = {name: f"{folder}/{name}" for name in ("base", "head")}
        for name, tree in trees.items():
            git("worktree", "add", "--detach", tree, getattr(given, name))
        try:
            rounds = [in_turn(trees, number) for number in range(given.rounds + 1)]
        finally:
            for tree in trees.values():
                git("worktree", "remove", "--force", tree)
    print(table(["", given.base, given.head, "base over head"], rows(rounds[1:])))


def in_turn(trees: dict[str, str], number: int) -> Round:
    print(f"round {number}" if number else "round 0, which compiles", file=sys.stderr)
    return {name: measured(tree) for name, tree in trees.items()}


def rows(rounds: list[Round]) -> list[list[str]]:
    """Medians over rounds in milliseconds, and their ratio."""
    return [
        row(name, *(of_state(rounds, state, name) for state in ("base", "head")))
        for name in rounds[0]["head"]
    ]


def of_state(rounds: list[Round], state: str, name: str) -> float | None:
    """Median seconds of a call; None where the state can't do it."""
    found = [each[state][name] for each in rounds if name in each[state]]
    return median(found) if found else None


def row(name: str, base: float | None, head: float) -> list[str]:
    if base is None:
        return [name, "not there", milliseconds(head), ""]
    return [name, milliseconds(base), milliseconds(head), f"{base / head:.2f}"]


if __name__ == "__main__":
    main()
