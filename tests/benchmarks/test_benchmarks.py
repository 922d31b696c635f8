"""Every workload runs at a small size and agrees with PyTorch and the version by hand; tables judge what was measured."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import introspect

import benchmarks.__main__ as main
from benchmarks import report, runner, scaling
from benchmarks.engines import ENGINES, CannotRunError, Case, load
from benchmarks.runner import Measured, Spread, agree
from benchmarks.workloads import FAMILIES, WORKLOADS, problem

ROOT = Path(__file__).resolve().parents[2]
HERE = sys.executable


def installed(engine: str) -> bool:
    module = {"tapegrad": "autograd", "hips": "autograd.numpy"}.get(engine, engine)
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def steps(engine: str, workload, count: int = 3):
    case = load(engine).build(problem(workload.family, workload.quick))
    found = []
    for _ in range(count):
        case.forward()
        if case.whole is not None:
            case.whole()
        else:
            case.backward()
            case.update()
        found.append(case.digest())
    return found


def pairs():
    """Every workload with every engine that is installed here and can run it; PyTorch runs all."""
    for engine in ENGINES[1:]:
        if installed(engine):
            families = getattr(load(engine), "RUNS", FAMILIES)
            yield from (pytest.param(engine, each, id=f"{engine}-{each.name}") for each in WORKLOADS if each.family in families)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_workload_runs(workload):
    assert np.all(np.isfinite(np.concatenate(steps("tapegrad", workload))))


@pytest.mark.parametrize(("engine", "workload"), list(pairs()))
def test_every_workload_agrees_with_the_other_engines(engine, workload):
    ours, theirs = steps("tapegrad", workload), steps(engine, workload)
    assert agree(ours, theirs), (ours, theirs)


def test_by_hand_there_are_the_mlps_the_lstm_and_the_transformer():
    assert set(load("numpy").RUNS) == {"mlp", "lstm", "transformer"}
    assert {workload.family for workload in WORKLOADS} == set(FAMILIES)
    with pytest.raises(CannotRunError):
        load("numpy").build(problem("chain", {"steps": 1, "n": 2}))


def test_problems_are_equal_for_the_same_seed_and_differ_for_another():
    sizes = {"widths": [3, 4, 2], "batch": 5}
    first, again, other = problem("mlp", sizes), problem("mlp", sizes), problem("mlp", sizes, seed=1)
    for name, array in first.parameters.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, again.parameters[name])
        assert not np.array_equal(array, other.parameters[name])


def test_names_are_unique_and_engines_known():
    names = [workload.name for workload in WORKLOADS] + [curve.name for curve in scaling.CURVES]
    assert len(set(names)) == len(names)
    with pytest.raises(ValueError, match="engine: expected one of tapegrad, .*, got 'theano'"):
        load("theano")
    with pytest.raises(NotImplementedError):
        Case().digest()


def test_processes_run_in_turn_and_their_results_agree():
    engines = {"tapegrad": HERE, "numpy": HERE}
    workload = WORKLOADS[1]
    found, versions = runner.measure(workload.family, workload.quick, workload.quick, engines, 3, 0.001)
    assert versions["numpy"] == np.__version__
    for entry in found.values():
        assert entry.agrees
        assert entry.skipped == ""
        for spread in entry.times.values():
            assert 0 < spread.low <= spread.median <= spread.high
        assert entry.seconds() >= entry.seconds("forward")
    found, _ = runner.measure("softmax", {"classes": 3, "batch": 2}, {"classes": 3, "batch": 2}, engines, 1, 0.0)
    assert found["numpy"].skipped == "cannot run it"
    assert found["tapegrad"].times


def test_an_engine_that_dies_has_no_figures_and_the_others_go_on(monkeypatch):
    ask, turns = runner.Process.ask, []

    def dying(process, **what):
        if process.engine == "numpy" and what["do"] == "turn":
            turns.append(process)
            if len(turns) == 2:
                process.process.kill()
                process.process.wait()
        return ask(process, **what)

    monkeypatch.setattr(runner.Process, "ask", dying)
    workload = WORKLOADS[1]
    found, _ = runner.measure(workload.family, workload.quick, workload.quick, {"tapegrad": HERE, "numpy": HERE}, 3, 0.0)
    assert found["numpy"].skipped == "EOFError: the process of numpy ended with code -9"
    assert found["numpy"].times == {}
    assert found["tapegrad"].times
    assert found["tapegrad"].agrees


def test_what_does_not_start_is_named():
    assert runner.available("tapegrad", HERE) == ""
    assert runner.available("tapegrad", "/no/such/python") == "/no/such/python: No such file or directory"
    assert runner.available("theano", HERE).startswith("ValueError: engine: expected one of")


# -------------------------------------------------------------------------------------------------------- the reports


def run_of(**seconds: tuple[float, float]):
    """A run with our seconds and PyTorch's by workload."""

    def measured(value: float) -> Measured:
        spread = Spread(value, value * 0.99, value * 1.01)
        return Measured(dict.fromkeys(("forward", "backward", "step"), spread), peak=int(value * 2**30), agrees=True)

    return {name.replace("_", "-"): {"tapegrad": measured(a), "torch": measured(b)} for name, (a, b) in seconds.items()}


def test_rows_are_judged_as_printed():
    results = run_of(chain=(1e-3, 1.996e-3), mlp_tiny=(1e-3, 1.9e-3), lenet=(1e-3, 0.8e-3))
    table = report.tables(results, ["torch"])[0]
    verdicts = {row[0]: row[3:] for row in table.rows}
    assert verdicts["small-op chain"] == ["2.00", ">= 2", "yes"]
    assert verdicts["MLP 2-16-16-2, batch 32"] == ["1.90", ">= 2", "NO"]
    assert verdicts["LeNet, batch 64"] == ["0.80", ">= 0.7", "yes"]
    assert table.notes[0] == "2 of 3 met"
    assert table.notes[1].startswith("geometric mean of 3 ratios: 1.45")


def test_times_that_are_too_noisy_are_not_judged():
    results = run_of(chain=(1e-3, 3e-3))
    results["chain"]["torch"].times["step"] = Spread(3e-3, 2e-3, 4e-3)
    table = report.tables(results, ["torch"])[0]
    assert table.rows[0][3:] == ["3.00", ">= 2", "noisy"]
    assert table.notes[0] == "0 of 1 met"
    assert runner.noise(results["chain"]) == pytest.approx(1 / 3)
    runner.wait_for_quiet(0.0)


def test_the_floor_is_shown_beside_what_is_asked():
    results = run_of(chain=(1e-3, 3e-3))
    results["chain"]["floor"] = results["chain"]["torch"]
    table = report.tables(results, ["torch", "floor"])[-1]
    assert table.rows == [["small-op chain", "1.00 ms", "3.00 ms", "300%", "", "1.00", ">= 2"]]


def test_memory_and_by_hand_are_at_most():
    results = run_of(mlp_tiny=(1e-3, 0.8e-3), lenet=(1.4e-3, 1e-3))
    memory = report.tables(results, ["torch"])[2]
    assert [row[3:] for row in memory.rows] == [["1.25", "<= 1", "NO"], ["1.40", "<= 1.5", "yes"]]
    for engines in results.values():
        engines["numpy"] = engines.pop("torch")
    (table,) = report.tables(results, ["numpy"])
    assert [row[3:] for row in table.rows] == [["1.25", "<= 1.6", "yes"], ["1.40", "", ""]]


def test_disagreement_and_failures_are_shown():
    results = run_of(chain=(1e-3, 3e-3), lstm=(1e-3, 1e-3))
    results["chain"]["torch"].agrees = False
    results["lstm"]["torch"] = Measured(skipped="RuntimeError: no")
    table = report.tables(results, ["torch"])[0]
    assert "the results do not agree: small-op chain" in table.notes
    assert "RuntimeError: no" in table.text()


def test_changes_beyond_the_noise_are_named():
    old = run_of(chain=(1e-3, 2e-3), lstm=(1e-3, 1e-3), gru=(1e-3, 1e-3))
    new = run_of(chain=(0.5e-3, 2e-3), lstm=(1.04e-3, 1e-3), gru=(1.5e-3, 1.5e-3))
    table = report.compared(old, new)
    words = {row[0]: row[4:] for row in table.rows if row[1] == "step"}
    assert words["small-op chain"] == ["2.00", "faster", "1.00"]
    assert words["LSTM, 50 steps, 128 units, batch 32"] == ["0.96", "", "1.00"]
    assert words["GRU, 50 steps, 128 units, batch 32"] == ["0.67", "SLOWER", "0.67"]


def test_what_cannot_be_compared_is_said():
    old, new = run_of(chain=(1e-3, 2e-3)), run_of(chain=(1e-3, 2e-3), lstm=(1e-3, 1e-3))
    del old["chain"]["torch"]
    assert report.compared(old, new).notes == [
        "drift is shown where both runs have PyTorch's times: without them, the machine may have changed"
    ]
    del new["chain"]
    assert report.compared(old, new).notes == ["none of these workloads is in the older run"]


def test_tables_are_aligned_and_markdown_has_a_cell_for_each_column():
    table = report.Table("title", ["a", "b"], [["row", "1.00"], ["longer row", "12.00"]], ["note"])
    assert table.text() == "title\na               b\nrow          1.00\nlonger row  12.00\nnote"
    assert table.markdown().splitlines()[2:6] == ["| a | b |", "| --- | ---: |", "| row | 1.00 |", "| longer row | 12.00 |"]
    assert report.time_text(12e-6) == "12.0 us"
    assert report.time_text(1.5) == "1.50 s "
    assert report.readme_table(run_of(chain=(1e-3, 2e-3))).rows == [["small-op chain", "1.00 ms", "2.00 ms", "2.00"]]


def test_tables_are_put_between_the_marks_of_a_document(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end x -->\nb\n")
    report.put_into(f"{page}:x", "new\n")
    assert page.read_text() == "a\n<!-- x -->\n```\nnew\n```\n<!-- end x -->\nb\n"
    with pytest.raises(ValueError, match="--into: expected <!-- y --> and <!-- end y --> in "):
        report.put_into(f"{page}:y", "new")


def test_a_run_is_the_same_after_json():
    results = run_of(chain=(1e-3, 2e-3))
    stored = json.loads(json.dumps(runner.as_json(results, {"numpy": "2"}, {"rounds": 1, "threads": 2})))
    assert runner.from_json(stored) == results
    assert stored["environment"]["numpy"] == "2"


def test_the_heading_names_the_instructions_of_numpy_in_lines_of_80_columns(monkeypatch):
    machine = runner.machine()
    assert machine["NumPy's loops"] == runner._instructions(
        introspect.opt_func_info(func_name="^exp$", signature="float32")["exp"]["ff"]["current"]
    )
    monkeypatch.setitem(sys.modules, "numpy.lib.introspect", None)
    assert runner.machine() == machine | {"NumPy's loops": ""}
    environment = {"processor": "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "cores": 2, "BLAS": "", "threads": 2}
    lines = main._heading(environment | {"NumPy's loops": "AVX-512", "numpy": "2.4.6"}).splitlines()
    assert lines == [
        "processor Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz, cores 2, threads 2,",
        "NumPy's loops AVX-512, numpy 2.4.6",
    ]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("X86_V3", "AVX2"),
        ("X86_V4", "AVX-512"),
        ("FMA3__AVX2", "AVX2"),
        ("AVX512_SKX", "AVX-512"),
        ("baseline(SSE SSE2 SSE3)", "SSE3"),
        ("baseline(X86_V2)", "SSE4.2"),
        ("baseline(NEON NEON_FP16 NEON_VFPV4 ASIMD)", "ASIMD"),
    ],
)
def test_instructions_have_their_usual_names(target, name):
    assert runner._instructions(target) == name


def test_a_run_from_before_the_heading_named_them_is_shown_and_compared(tmp_path, monkeypatch, capsys):
    run = runner.as_json(run_of(chain=(1e-3, 2e-3)), {}, {"threads": 2, "quick": False, "engines": ["tapegrad", "torch"]})
    del run["environment"]["NumPy's loops"]
    (tmp_path / "old.json").write_text(json.dumps(run))
    monkeypatch.setattr(
        sys, "argv", ["benchmarks", *(word for o in ("--load", "--compare") for word in (o, str(tmp_path / "old.json")))]
    )
    main.main()
    shown = capsys.readouterr().out
    assert "loops" not in shown
    assert "Since the older run" in shown


def test_digests_differ_beyond_the_tolerance():
    assert agree([[1.0, 2.0]], [[1.0005, 2.0]])
    assert not agree([[1.0, 2.0]], [[1.0, 2.01]])
    assert not agree([[1.0]], [[float("nan")]])


def test_exponents_and_curves():
    curve = scaling.Curve("c", "mlp", "n", [1, 2, 4, 8, 16], lambda n: {}, linear=True)
    assert scaling.exponent(curve, [5.0, 5.5, 8.0, 16.0, 32.0]) == pytest.approx(1.0)
    text = scaling.table(curve, {"tapegrad": [1.0, 2.0, 4.0, 8.0, 16.0], "torch": [1.0, 4.0, 16.0, 64.0, 256.0]}).text()
    assert "grows as n^1.00, asked <= 1.15: yes; torch n^2.00" in text
    for each in scaling.CURVES:
        problem(each.family, each.sizes(each.values[0]))


def test_plots(tmp_path):
    pytest.importorskip("matplotlib")
    report.plot(run_of(chain=(1e-3, 2e-3), lenet=(1e-3, 1e-3)), ["torch"], tmp_path / "bars.png")
    scaling.plot({"nodes": {"tapegrad": [1e-3, 1e-2]}, "depth": {"tapegrad": [1e-3, 1e-2]}}, tmp_path / "curves.png")
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("bars.png", "curves.png"))


# --------------------------------------------------------------------------------------------------- the command line


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HERE, "-m", "benchmarks", *arguments], capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_quick_run_writes_shows_and_compares(tmp_path):
    stored = tmp_path / "run.json"
    done = command("--quick", "--only", "chain,lstm", "--against", "numpy", "--json", str(stored))
    assert done.returncode == 0, done.stderr
    heading, _, table = done.stdout.partition("\n\n")
    assert all(len(line) <= 80 for line in heading.splitlines())
    assert [line.split() for line in table.splitlines()[1:4]] == [
        ["workload", "tapegrad", "numpy"],
        ["chain", "ran", "cannot", "run", "it"],
        ["lstm", "ran", "ran"],
    ]
    assert set(json.loads(stored.read_text())["workloads"]) == {"chain", "lstm"}
    done = command("--load", str(stored), "--compare", str(stored), "--markdown")
    assert done.returncode == 0, done.stderr
    assert "Since the older run" in done.stdout
    run = json.loads(stored.read_text())
    run["options"]["engines"].append("torch")
    run["workloads"]["chain"]["torch"] = run["workloads"]["chain"]["tapegrad"]
    stored.write_text(json.dumps(run))
    document = tmp_path / "README.md"
    document.write_text("Before.\n\n<!-- speed -->\nold\n<!-- end speed -->\n\nAfter.\n")
    done = command("--load", str(stored), "--short", "--markdown", "--into", f"{document}:speed")
    assert done.returncode == 0, done.stderr
    text = document.read_text()
    assert text.startswith("Before.\n\n<!-- speed -->\npython ")
    assert "| workload | tapegrad | PyTorch | ratio |" in text
    assert text.endswith("\n<!-- end speed -->\n\nAfter.\n")
    assert "old" not in text
    assert "```" not in text


def test_wrong_names_are_refused():
    done = command("--only", "nothing")
    assert done.returncode == 1
    assert "--only: expected names among chain, " in done.stderr
    done = command("--against", "theano")
    assert "--against: expected peers among torch, jax, hips, mygrad, numpy, floor, got theano" in done.stderr
    assert "transformer-batch" in command("--list").stdout
    assert "left out" in command("--quick", "--only", "chain", "--against", "torch", "--python", "torch=/no/python").stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rounds", "0"], "--rounds: expected at least 1, got 0"),
        (["--threads", "-1"], "--threads: expected at least 1, got -1"),
        (["--seconds", "nan"], "--seconds: expected at least 0, got nan"),
        (["--python", "torch"], "--python: expected PEER=PATH, got torch"),
        (["--json", "nowhere/x.json"], "--json: expected a file in a folder that can be written to, got nowhere/x.json"),
        (["--plot", "."], "--plot: expected a file in a folder that can be written to, got ."),
        (["--plot", "x.foo"], "--plot: expected a name that ends in .png or another of .*, got x.foo"),
        (["--plot", "x.png"], "--plot: expected peers, to draw the ratios to them, got none; add --against torch"),
        (["--short"], "--short: expected PyTorch among the peers, got none; add --against torch"),
        (["--short", "--against", "numpy"], "--short: expected PyTorch among the peers, got numpy; add --against torch"),
        (["--only", "chain, depth"], "--only: expected names among chain, .*, adam-step, got depth; add --scaling"),
        (["--scaling", "--only", "chain"], "--only: expected names among nodes, .*, got chain; leave --scaling out"),
        (["--scaling", "--only", "chain,no"], "--only: expected names among nodes, .*, got chain, no$"),
        (["--scaling", "--load", "x"], "--load: expected a run of workloads, got --scaling; leave one of the two out"),
        (["--scaling", "--short"], "--short: expected a run of workloads, got --scaling; leave one of the two out"),
        (["--into", "README.md"], "--into: expected FILE:NAME, got README.md"),
        (["--into", "README.md:nothing"], "--into: expected <!-- nothing --> and <!-- end nothing --> in README.md"),
        (["--into", "nowhere.md:steps"], "--into: .*nowhere.md"),
        (["--compare", "nowhere.json"], "--compare: .*nowhere.json"),
        (["--compare", "README.md"], "--compare: expected a run of workloads that was written with --json, got README.md"),
        (["--load", "pyproject.toml"], "--load: expected a run of workloads that was written with --json, got pyproject.toml"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_wrong_options_are_refused_before_anything_is_measured(words, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    monkeypatch.setattr(main, "_measured", lambda *_: pytest.fail("it has measured"))
    monkeypatch.setattr(scaling, "run", lambda *_: pytest.fail("it has measured"))
    with pytest.raises(SystemExit, match=message):
        main.main()


def test_names_may_have_spaces_around_them(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", " lstm, chain,", "--against", "numpy, floor ,"])
    options = main._options()
    assert [workload.name for workload in main._chosen(options)] == ["chain", "lstm"]
    assert list(main._interpreters(options)) == ["tapegrad", "numpy", "floor"]


def test_a_plot_without_matplotlib_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--plot", "x.png", "--against", "numpy"])
    with pytest.raises(SystemExit, match="--plot: expected matplotlib to be installed, got none; pip install matplotlib"):
        main.main()


def test_an_interrupt_ends_it_without_a_traceback(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_measured", interrupted)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    with pytest.raises(SystemExit) as ending:
        main.main()
    assert ending.value.code == 130


def test_of_a_run_that_is_loaded_the_chosen_workloads_are_shown(tmp_path, monkeypatch, capsys):
    run = runner.as_json(
        run_of(chain=(1e-3, 2e-3), gru=(1e-3, 2e-3)), {}, {"threads": 2, "quick": False, "engines": ["tapegrad"]}
    )
    (tmp_path / "run.json").write_text(json.dumps(run))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--load", str(tmp_path / "run.json"), "--only", "gru"])
    main.main()
    shown = capsys.readouterr().out
    assert "GRU" in shown
    assert "chain" not in shown
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--load", str(tmp_path / "run.json"), "--short"])
    with pytest.raises(SystemExit, match="--short: expected PyTorch among the peers, got none"):
        main.main()


@pytest.mark.parametrize(
    "content", ['{"workloads": {}}', "[1]", '{"a": 1}', '{"workloads": {"hvp": 3}}', '{"curves": {}, "environment": {}}']
)
def test_files_of_another_form_are_not_a_run(content, tmp_path, monkeypatch):
    path = tmp_path / "other.json"
    path.write_text(content)
    for option in ("--load", "--compare"):
        monkeypatch.setattr(sys, "argv", ["benchmarks", option, str(path)])
        with pytest.raises(SystemExit, match=f"{option}: expected a run of workloads that was written with --json, got"):
            main.main()


def test_a_plot_of_ours_alone_has_no_legend(tmp_path):
    pytest.importorskip("matplotlib")
    report.plot(run_of(chain=(1e-3, 2e-3)), [], tmp_path / "alone.png")


def test_quick_curves():
    done = command("--scaling", "--quick", "--only", "nodes")
    assert done.returncode == 0, done.stderr
    assert "nodes: ops in a chain" in done.stdout
