"""The command line: what it prints where, what it writes, and how it ends."""

import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import bayeslmm as bl
from bayeslmm.cli import ExitCode, app
from bayeslmm.runs.store import Store

SLEEP = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture
def run():
    """Call the command line in this process."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def unwritable(tmp_path):
    """A folder that nobody, root included, can make: its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "out"


def test_version_is_the_package_s(run):
    assert run("--version").stdout.startswith("bayeslmm 0.")


def test_fit_prints_the_summary_and_writes_the_estimates(run, tmp_path):
    out = tmp_path / "fit.csv"
    result = run("fit", SLEEP, "sleepstudy", "--out", out)
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert "Fitting by REML" in result.stderr
    assert "Days" in result.stdout
    assert result.stdout.splitlines()[-1] == str(out)
    table = pd.read_csv(out, index_col="label")
    assert table.loc["beta[Days]", "estimate"] == pytest.approx(10.46729, abs=1e-5)


def test_criterion_is_passed_on(run):
    assert "Fitting by ML" in run("fit", "Yield ~ (1 | Batch)", "Dyestuff", "--criterion", "ML").stderr


@pytest.mark.filterwarnings("default::bayeslmm.errors.BayesLMMWarning")
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzipped"])
def test_files_are_read_with_na_alone_missing(run, tmp_path, compress):
    text = "y,x,g\n" + "".join(
        f"{i % 7 + i / 10},{'NA' if i == 3 else i},{'None' if i % 2 else 'a'}\n" for i in range(20)
    )
    path = tmp_path / ("data.csv.gz" if compress else "data.csv")
    path.write_bytes(gzip.compress(text.encode()) if compress else text.encode())
    result = run("fit", "y ~ x + (1 | g)", path)
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert "Number of obs: 19; g: 2 levels" in result.stdout
    assert "Warning: " in result.stderr


REFUSED = {
    "unknown column": (("fit", "Reaction ~ Dyas + (1 | Subject)", "sleepstudy"), "Days"),
    "unknown group": (("fit", "Reaction ~ Days + (1 | Subjct)", "sleepstudy"), "Subject"),
    "unbalanced parenthesis": (("fit", "Reaction ~ Days + (1 | Subject", "sleepstudy"), "parenthes"),
    "criterion": (("fit", SLEEP, "sleepstudy", "--criterion", "RMEL"), "'REML' or 'ML'"),
    "method": (("parity", SLEEP, "sleepstudy", "--method", "nuts", "--out", "never"), "marginal"),
    "section": (
        ("parity", SLEEP, "sleepstudy", "--out", "never", "--also", "intervls"),
        "did you mean 'intervals'",
    ),
    "data set": (("fit", SLEEP, "sleepstudies"), "did you mean 'sleepstudy'?"),
    "calibration's method": (("calibrate", SLEEP, "sleepstudy", "--method", "walt"), "'z'"),
    "calibration's truth": (
        ("calibrate", SLEEP, "sleepstudy", "--truth", "beta[Days]"),
        "label and a number",
    ),
    "calibration's label": (("calibrate", SLEEP, "sleepstudy", "--truth", "beta[Dys]=1"), "beta[Days]"),
    "calibration's n": (("calibrate", SLEEP, "sleepstudy", "--n", 100, "--error", 0.005), "takes n=1900"),
    "weights": (("fit", SLEEP, "sleepstudy", "--weights", "Dys"), "Days"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_one_message_and_code_2(run, arguments, told):
    result = run(*arguments)
    assert result.exit_code == ExitCode.REFUSED
    assert told in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "content", [b"", b"y,\xff\n1,2\n", b"\x1f\x8bbroken"], ids=["empty", "encoding", "gzip"]
)
def test_unreadable_files_are_refused(run, tmp_path, content):
    path = tmp_path / "data.csv.gz" if content.startswith(b"\x1f") else tmp_path / "data.csv"
    path.write_bytes(content)
    result = run("fit", SLEEP, path)
    assert result.exit_code == ExitCode.REFUSED
    assert "can't be read" in result.stderr


@pytest.mark.parametrize("command", [("demo",), ("parity", SLEEP, "sleepstudy")], ids=["demo", "parity"])
def test_unwritable_folder_is_found_before_any_work(run, unwritable, command):
    result = run(*command, "--out", unwritable)
    assert result.exit_code == ExitCode.REFUSED
    assert "can't be written" in result.stderr
    assert "Fitting" not in result.stderr


def test_interruption_ends_in_130(run, monkeypatch):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("bayeslmm.datasets.source.load_dataset", interrupted)
    assert run("fit", SLEEP, "sleepstudy").exit_code == 130


PARITY = ("parity", "Yield ~ (1 | Batch)", "Dyestuff", "--chains", 2, "--method", "importance")


def test_parity_writes_report_table_and_manifest(run, tmp_path):
    result = run(*PARITY, "--out", tmp_path / "new" / "folder")
    assert result.exit_code == ExitCode.DONE, result.stderr
    out = Path(result.stdout.splitlines()[-1]).parent
    assert out == tmp_path / "new" / "folder"
    written = {"parity.html", "parity.md", "parity.tex", "parity.csv", "manifest.json"}
    assert {path.name for path in out.iterdir()} == written
    assert "beta[Intercept]" in set(pd.read_csv(out / "parity.csv")["label"])
    assert json.loads((out / "manifest.json").read_text())["formula"] == "Yield ~ (1 | Batch)"
    assert "bootstrap: about" in result.stderr
    again = run("rerun", out / "manifest.json")
    assert again.exit_code == ExitCode.DONE, again.stderr
    assert "Every number of the table came out again" in again.stdout
    other = run("rerun", out / "manifest.json", "--data", "Dyestuff2")
    assert other.exit_code == ExitCode.REFUSED
    assert "other data" in other.stderr


def test_too_few_draws_end_in_3_with_the_report_written(run, tmp_path):
    options = ("--draws", 20, "--boot", 50, "--also", "intervals", "--also", "sensitivity")
    result = run(*PARITY, *options, "--out", tmp_path)
    assert result.exit_code == ExitCode.UNRESOLVED
    assert "Not everything is explained" in result.stderr
    page = (tmp_path / "parity.html").read_text(encoding="utf-8")
    assert 'id="intervals"' in page
    assert 'id="sensitivity"' in page


@pytest.mark.slow
def test_demo_in_a_new_process_ends_with_the_report(tmp_path):
    command = [sys.executable, "-m", "bayeslmm.cli", "demo", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "parity.html")
    assert (tmp_path / "parity.html").stat().st_size > 10_000


SEMICOLONS = "y;x;g\n" + "".join(f"{i % 7},{i};{i};{'ab'[i % 2]}\n" for i in range(9)) + "3,5;;a\n4,5;-;b\n"


@pytest.mark.filterwarnings("default::bayeslmm.errors.BayesLMMWarning")
def test_calibrate_says_which_interval_to_trust(run, tmp_path):
    asked = ("--n", 12, "--method", "z", "--method", "kenward-roger", "--truth", "beta[Days]=0")
    result = run("calibrate", SLEEP, "sleepstudy", *asked, "--store", tmp_path / "kept", "--out", tmp_path)
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert "beta[Days]: trust" in result.stdout
    table = pd.read_csv(tmp_path / "calibration.csv").set_index(["label", "method"])
    assert set(table.loc["beta[Days]"].index) == {"z", "kenward-roger"}
    assert table.loc[("beta[Days]", "z"), "n"] == len(Store.read(tmp_path / "kept").rows) == 12


@pytest.mark.filterwarnings("default::bayeslmm.errors.BayesLMMWarning")
def test_semicolons_decimal_commas_and_missing_values(run, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(SEMICOLONS)
    result = run("fit", "y ~ x + (1 | g)", path, "--na", "NA", "--na", "-")
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert "Number of obs: 9; g: 2 levels" in result.stdout
    refused = run("fit", "y ~ x + (1 | g)", path)
    assert refused.exit_code == ExitCode.REFUSED
    assert "--na" in refused.stderr


@pytest.mark.filterwarnings("default::bayeslmm.errors.BayesLMMWarning")
def test_all_is_told_by_options(run, tmp_path):
    path = tmp_path / "data.txt"
    path.write_bytes(SEMICOLONS.replace(";", "\t").replace("a", "ä").encode("cp1252"))
    options = ("--sep", "\\t", "--decimal", ",", "--encoding", "cp1252", "--na", "-")
    result = run("fit", "y ~ x + (1 | g)", path, *options)
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert run("fit", "y ~ x + (1 | g)", path, "--encoding", "klingon").exit_code == ExitCode.REFUSED


@pytest.mark.filterwarnings("default::bayeslmm.errors.BayesLMMWarning")
def test_standard_input(tmp_path):
    command = [sys.executable, "-m", "bayeslmm.cli", "fit", "y ~ x + (1 | g)", "-", "--na", "-"]
    done = subprocess.run(command, input=SEMICOLONS, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert "Number of obs: 9" in done.stdout


@pytest.mark.filterwarnings("default::bayeslmm.errors.BayesLMMWarning")
def test_fit_writes_into_a_folder_or_refuses_before_any_work(run, tmp_path):
    result = run("fit", "Yield ~ (1 | Batch)", "Dyestuff", "--out", tmp_path)
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert (tmp_path / "fit.csv").exists()
    for bad in (tmp_path / "fit.csv" / "out.csv", tmp_path / ("a" * 300)):
        refused = run("fit", "Yield ~ (1 | Batch)", "Dyestuff", "--out", bad)
        assert refused.exit_code == ExitCode.REFUSED
        assert "can't be written" in refused.stderr
        assert "Fitting" not in refused.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"fit.csv"}


def test_a_file_of_the_report_that_cannot_be_written_is_found_before_any_work(run, tmp_path):
    (tmp_path / "manifest.json").mkdir()
    refused = run(*PARITY, "--out", tmp_path)
    assert refused.exit_code == ExitCode.REFUSED
    assert "Fitting" not in refused.stderr


INTERRUPTED = {"bootstrap": ("Bootstrapping", "1000000", "10"), "NUTS": ("Sampling", "10", "1000000")}


@pytest.mark.parametrize(
    ("step", "boot", "draws"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.slow] * (name == "NUTS"))
        for name, case in INTERRUPTED.items()
    ],
)
def test_ctrl_c_ends_the_run_at_once(tmp_path, step, boot, draws):
    """The step that is interrupted is the last one, and what was stored stays."""
    store = tmp_path / "replicates"
    command = [sys.executable, "-m", "bayeslmm.cli", "parity", SLEEP, "sleepstudy", "--out", str(tmp_path)]
    command += ["--boot", boot, "--draws", draws, "--store", str(store), "--method", "marginal"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in process.stderr:
        if line.startswith(step):
            break
    time.sleep(6 if step == "Bootstrapping" else 20)  # until there is something to lose
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(20) == 130, said
    assert "what a store holds stays" in said
    assert not {"Sampling", "Comparing"} & set(said.split())
    assert Store.read(store).n > 0
    assert not (tmp_path / "parity.html").exists()


def test_data_sets_are_listed(run):
    listed = run("datasets").stdout
    assert all(name in listed for name in bl.list_datasets()["name"])


def test_python_runs_it_as_a_module() -> None:
    asked = [sys.executable, "-m", "bayeslmm", "datasets"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "sleepstudy" in done.stdout
