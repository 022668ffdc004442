"""Varied rows through the whole loop: what people know of their data, tried against doing nothing, kept, versioned, taken back."""

from __future__ import annotations

import csv
import random

import pytest
from journey_worlds import done, made, tilth

NOISE = 16


def write_rows(path, n=900, seed=3):
    """The label follows one number; sixteen others say nothing, which a person knows and tells by a transform."""
    draw = random.Random(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", "split", "x", *(f"z{j}" for j in range(NOISE)), "y"])
        for i in range(n):
            split = "train" if i < 70 else "dev" if i < 570 else "test"
            x = draw.gauss(0, 1)
            others = [round(draw.gauss(0, 1), 3) for _ in range(NOISE)]
            out.writerow([f"r{i}", split, round(x, 3), *others, "yes" if x + draw.gauss(0, 0.4) > 0 else "no"])
    return path


TRANSFORM = f"""import tilth

OTHERS = [f"z{{j}}" for j in range({NOISE})]


@tilth.transform(columns=OTHERS)
def other_numbers(row, random):
    return {{name: float(random.normal()) for name in OTHERS}}
"""
POLICY = "sequences:\n- steps: [other_numbers]\ncopies: 12\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    home = tmp_path_factory.mktemp("augmented")
    folder = made(home / "project", write_rows(home / "rows.csv"), "--label", "y", "--id", "row", "--split", "split")
    (folder / "functions.py").write_text(TRANSFORM)
    (folder / "policy.yaml").write_text(POLICY)
    text = (folder / "tilth.yaml").read_text().replace("python: null", "python: functions.py")
    text = text.replace("learner: auto", "learner: linear")
    (folder / "tilth.yaml").write_text(text + "\naugment:\n  transforms: [other_numbers]\n  policies: [policy.yaml]\n")
    run = done("run", "--dir", folder, "--json", "--budget", "60s", "--only", "modify").json
    return folder, run


def test_what_a_person_knows_of_the_data_is_kept(project):
    _, run = project
    trials = {trial["operator"]: trial for trial in run["trials"]}
    mine = next(trial for name, trial in trials.items() if name.startswith("augment") and "written" in name)
    assert mine["verb"] == "modify"
    assert mine["rows"] == 70
    assert mine["gain"] > 0.01
    assert any(t["verdict"] == "kept" for t in run["trials"] if t["operator"].startswith("augment"))


def test_the_kept_policy_is_blamed_exported_and_taken_back(project):
    folder, run = project
    kept = next(t for t in run["trials"] if t["verdict"] == "kept" and t["operator"].startswith("augment"))
    assert kept["edit"] in done("log", "--dir", folder).out
    assert "augment" in done("blame", "r0", "--dir", folder).out
    before = run["version"]["before"]
    assert "augment" in done("diff", before, run["version"]["after"], "--dir", folder).out
    done("revert", kept["edit"], "--dir", folder)


def test_a_policy_that_was_not_kept_is_told_with_its_card(tmp_path):
    """A jitter that the model hardly sees: why it did not help stands in the JSON, on the screen and on the page."""
    folder = made(
        tmp_path / "project", write_rows(tmp_path / "rows.csv"), "--label", "y", "--id", "row", "--split", "split"
    )
    text = (folder / "tilth.yaml").read_text().replace("learner: auto", "learner: linear")
    (folder / "tilth.yaml").write_text(text + "\naugment: {transforms: [jitter 1]}\n")
    screen = done("run", "--dir", folder, "--budget", "60s", "--only", "modify").out
    run = done("run", "--dir", folder, "--json", "--budget", "60s", "--only", "modify").json
    varied = [t for t in run["trials"] if t["operator"].startswith("augment(")]
    assert varied
    for trial in varied:
        assert trial["verdict"] in ("undecided", "refused")
        card = trial["card"]
        assert card["rows"] == 70
        assert card["applies"]["value"] > 0.3
        assert abs(card["drift"]["value"]) < 0.1
        low, high = card["unchanged"]["interval"]
        assert low <= card["unchanged"]["value"] <= high
    assert all("card" not in t for t in run["trials"] if not t["operator"].startswith("augment("))
    assert "card of the policy on 70 train rows" in " ".join(screen.split())
    page = tmp_path / "page.html"
    done("report", "--dir", folder, "-o", page)
    assert "Card of the policy" in page.read_text()


def test_a_function_that_is_gone_is_named(project, tmp_path):
    folder, _ = project
    (folder / "functions.py").write_text("import tilth\n")
    result = tilth("run", "--dir", folder, "--budget", "20s")
    (folder / "functions.py").write_text(TRANSFORM)
    assert result.code == 2
    assert "no transform is called 'other_numbers'" in result.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("augment: {transforms: [rotat 1-3]}", "Did you mean 'rotate'"),
        ("augment: {transforms: [jitter 9]}", "severities are whole numbers"),
        ("augment: {transform: [jitter]}", "transforms"),
        ("augment: {policies: [none.yaml]}", "none.yaml"),
    ],
)
def test_what_is_written_wrong_is_refused_with_the_line(tmp_path, line, said):
    folder = made(tmp_path / "project", write_rows(tmp_path / "rows.csv", n=700), "--label", "y", "--id", "row")
    text = (folder / "tilth.yaml").read_text()
    (folder / "tilth.yaml").write_text(text + f"\n{line}\n")
    result = tilth("run", "--dir", folder, "--budget", "20s")
    assert result.code == 2
    assert said in result.err


def _with(tmp_path, function):
    folder = made(
        tmp_path / "project",
        write_rows(tmp_path / "rows.csv", n=300),
        "--label",
        "y",
        "--id",
        "row",
        "--split",
        "split",
    )
    (folder / "functions.py").write_text(
        "import random\nimport tilth\n\n\n@tilth.transform(columns=['x'])\n" + function
    )
    text = (folder / "tilth.yaml").read_text().replace("python: null", "python: functions.py")
    (folder / "tilth.yaml").write_text(
        text.replace("learner: auto", "learner: linear") + "\naugment: {transforms: [own]}\n"
    )
    return done("run", "--dir", folder, "--json", "--budget", "20s", "--only", "modify").json


def test_a_function_that_fails_on_some_rows_is_a_warning(tmp_path):
    run = _with(tmp_path, "def own(row):\n    assert row.x < 1, 'too far'\n    return row.x * 1.01\n")
    assert any("'own' failed on rows" in said and "too far" in said for said in run["warnings"])
    assert any(trial["operator"].startswith("augment") for trial in run["trials"])


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("def own(row):\n    return random.random()\n", "not deterministic"),
        ("def own(row):\n    return 'a word'\n", "own"),
    ],
)
def test_a_function_that_breaks_the_rules_is_a_failed_step(tmp_path, function, said):
    run = _with(tmp_path, function)
    assert not any(trial["operator"].startswith("augment") for trial in run["trials"])
    assert any(said in str(step) for step in [*run.get("failures", []), *run["warnings"]])


def test_varied_rows_may_be_tried_as_rows_of_the_store(tmp_path):
    folder = made(
        tmp_path / "project",
        write_rows(tmp_path / "rows.csv", n=400),
        "--label",
        "y",
        "--id",
        "row",
        "--split",
        "split",
    )
    (folder / "functions.py").write_text(TRANSFORM)
    text = (folder / "tilth.yaml").read_text().replace("python: null", "python: functions.py")
    (folder / "tilth.yaml").write_text(
        text.replace("learner: auto", "learner: linear") + "\naugment: {transforms: [other_numbers], stored: 2}\n"
    )
    run = done("run", "--dir", folder, "--json", "--budget", "30s", "--only", "synthesize").json
    mine = next(trial for trial in run["trials"] if trial["operator"].startswith("augment_rows"))
    assert mine["verb"] == "synthesize"
    assert mine["rows"] > 20  # what passes the gate
    done("adopt", mine["edit"], "--dir", folder)
    assert "augment_rows" in done("log", "--dir", folder).out


def test_the_command_writes_a_policy_and_never_over_the_project(project, tmp_path):
    folder, _ = project
    shown = done("augment", "trivial", "--dir", folder, "-o", tmp_path / "found.yaml").out
    assert "other_numbers" in shown
    assert "other_numbers" in (tmp_path / "found.yaml").read_text()
    assert done("augment", "--dir", folder, "--json").json["policy"]["sequences"]
    over = tilth("augment", "--dir", folder, "-o", folder / "tilth.yaml")
    assert over.code == 2
    assert "never overwritten" in over.err
    wrong = tilth("augment", "serch", "--dir", folder)
    assert wrong.code == 2
    assert "Did you mean 'search'" in wrong.err
