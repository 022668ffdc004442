from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilth.core.errors import ConfigError
from tilth.core.names import Split
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType, Visibility
from tilth.loop.project_file import METRICS, OperatorChoice, ProjectFile, budget_seconds, parse, write
from tilth.loop.splits import ROW_ORDER, Shares, SplitPlan
from tilth.operators.registry import Listing, listings

NASTY = ("no", "y", "null", "~", "", "2020", "1e5", "a: b", "# x", "- x", "größe €", "{", "'", '"', "\\", "a\nb")
NASTY_TOO = (
    "=",
    "<<",
    "!x",
    "&x",
    "*x",
    "? x",
    "|",
    ">",
    "%",
    "@",
    "`",
    " x ",
    "true",
    "0x1F",
    "1:30",
    ".inf",
    "\ud800",
)

BASIC = """\
source: reviews.csv
label: sentiment
task: binary
classes: [neg, pos]
columns:
  text: {type: text}
  when: {type: date}
  part: {type: category}
  sentiment: {type: category}
"""


def project(**fields):
    columns = (
        Column(name="text", type=ColumnType.TEXT),
        Column(name="sentiment", type=ColumnType.CATEGORY, role=Role.LABEL),
    )
    task = Task(type=TaskType.BINARY, label="sentiment", classes=("neg", "pos"))
    return ProjectFile(source="reviews.csv", schema=Schema(columns=columns, tasks=(task,)), **fields)


# reading


def test_what_is_not_written_has_its_default():
    found = parse(BASIC)
    assert replace(found, schema=project().schema) == project()
    assert [column.role.value for column in found.schema.columns] == ["feature", "feature", "feature", "label"]
    assert found.schema.task == project().schema.task


def test_a_column_that_label_or_splits_name_has_that_role():
    found = parse(BASIC + "splits: {column: part, time: when, names: {fold1: train}}\n")
    assert found.schema.column("part").role is Role.SPLIT
    assert found.schema.column("when").role is Role.TIME
    assert found.splits == SplitPlan(column="part", time="when", names={"fold1": Split.TRAIN})


def test_a_column_with_role_split_is_the_split_column():
    found = parse(BASIC.replace("part: {type: category}", "part: {type: category, role: split}"))
    assert found.splits.column == "part"


def test_rows_in_order_of_time():
    assert parse(BASIC + f"splits: {{time: {ROW_ORDER}}}\n").splits.time == ROW_ORDER


def test_words_are_read_as_they_stand():
    text = BASIC.replace("[neg, pos]", "[no, y]").replace("sentiment", "2020").replace("text:", "on:")
    found = parse(text)
    assert found.schema.task.classes == ("no", "y")
    assert found.schema.task.label == "2020"
    assert found.schema.names[0] == "on"


def test_a_source_may_be_several_files_or_one_per_split():
    several = parse(BASIC.replace("reviews.csv", "[a.csv, b.csv]"))
    per_split = parse(BASIC.replace("reviews.csv", "{train: a.csv, test: b.csv}"))
    assert several.source == ("a.csv", "b.csv")
    assert per_split.source == {"train": "a.csv", "test": "b.csv"}


def test_regression_has_mae_and_no_classes():
    text = BASIC.replace("binary", "regression").replace("classes: [neg, pos]\n", "")
    found = parse(text.replace("sentiment: {type: category}", "sentiment: {type: number}"))
    assert (found.schema.task.metric, found.schema.task.classes) == ("mae", ())


def test_operators_by_name_or_with_parameters():
    onnx = "{name: onnx_image, params: {crop: 1.0e-3, folder: no, mean: [1, null, true]}}"
    found = parse(BASIC + f"encoders: {{text: text_ngrams, sentiment: {onnx}}}\nlearner: {{name: linear}}\n")
    assert found.encoders["text"] == OperatorChoice(name="text_ngrams")
    assert found.encoders["sentiment"].params == {"crop": 0.001, "folder": "no", "mean": [1, None, True]}
    assert found.learner == OperatorChoice(name="linear")
    assert parse(BASIC + "learner: {name: auto}\n").learner == OperatorChoice(name="auto")


def test_operators_of_third_parties_are_known(monkeypatch):
    mine = Listing(
        room="learning",
        name="mine",
        verb="fit",
        summary="",
        source="",
        parameters={"depth": "int = 3"},
        module="theirs",
    )
    monkeypatch.setattr("tilth.operators.registry._room_listings", lambda room: (mine,))
    assert parse(BASIC + "learner: {name: mine, params: {depth: 4}}\n").learner.params == {"depth": 4}


@pytest.mark.parametrize(
    ("budget", "seconds"), [("10m", 600), ("90s", 90), ("1h", 3600), ("1h30m", 5400), ("0.5 h", 1800), ("2m 5s", 125)]
)
def test_budgets(budget, seconds):
    assert budget_seconds(budget) == seconds


@pytest.mark.parametrize("budget", ["", "10", "m", "10x", "-5m", "0s", "1h and a bit", "10m!", "٣m", "9" * 400 + "h"])
def test_budgets_that_are_none(budget):
    with pytest.raises(ConfigError, match="write a time such as 90s, 10m or 1h30m"):
        budget_seconds(budget)


# refusals: text, line, key, what is said

REFUSED = {
    "unknown key": (BASIC.replace("label:", "labl:"), 2, "labl", "unknown key 'labl'. Did you mean 'label'?"),
    "key missing": (BASIC.replace("label: sentiment\n", ""), 1, "", "the key 'label' is missing"),
    "key twice": (BASIC + "task: multiclass\n", 10, "", "'task' is said twice, first in line 3"),
    "column twice": (BASIC + '  "text": {type: text}\n', 10, "columns", "'text' is said twice, first in line 6"),
    "no label column": (
        BASIC.replace("label: sentiment", "label: sentimant"),
        2,
        "label",
        "no column 'sentimant' under columns. Did you mean 'sentiment'?",
    ),
    "empty label": (BASIC.replace("label: sentiment", "label:"), 2, "label", "label cannot be empty"),
    "a list as label": (BASIC.replace("label: sentiment", "label: [a, b]"), 2, "label", "label cannot be a list"),
    "two labels": (
        BASIC.replace("text: {type: text}", "text: {type: text, role: label}"),
        9,
        "columns.sentiment",
        "2 columns have role label: text, sentiment",
    ),
    "two groups": (
        BASIC.replace("text}", "text, role: group}").replace("date}", "date, role: group}"),
        7,
        "columns.when",
        "2 columns have role group: text, when",
    ),
    "label of another role": (
        BASIC.replace("sentiment: {type: category}", "sentiment: {type: category, role: id}"),
        9,
        "columns.sentiment",
        "label names column 'sentiment', whose role is id",
    ),
    "label and split at once": (
        BASIC + "splits: {column: sentiment}\n",
        9,
        "columns.sentiment",
        "splits.column names column 'sentiment', whose role is label",
    ),
    "unknown type": (BASIC.replace("type: text", "type: txt"), 6, "columns.text.type", "Did you mean 'text'?"),
    "no type": (BASIC.replace("{type: text}", "{role: id}"), 6, "columns.text", "the key 'type' is missing"),
    "unknown role": (BASIC.replace("text}", "text, role: grup}"), 6, "columns.text.role", "Did you mean 'group'?"),
    "unknown visibility": (
        BASIC.replace("text}", "text, visibility: hiden}"),
        6,
        "columns.text.visibility",
        "Did you mean 'hidden'?",
    ),
    "not true or false": (
        BASIC.replace("text}", "text, at_serving: maybe}"),
        6,
        "columns.text.at_serving",
        "write true or false",
    ),
    "column as a word": (
        BASIC.replace("{type: text}", "text"),
        6,
        "columns.text",
        "write a mapping with the keys type",
    ),
    "columns as a list": (
        BASIC[: BASIC.index("columns")] + "columns: [text]\n",
        5,
        "columns",
        "columns cannot be a list",
    ),
    "no columns": (BASIC[: BASIC.index("columns")] + "columns: {}\n", 5, "columns", "no columns are listed"),
    "unknown task": (BASIC.replace("binary", "binry"), 3, "task", "Did you mean 'binary'?"),
    "unknown metric": (BASIC + "metric: acuracy\n", 10, "metric", "Did you mean 'accuracy'?"),
    "metric of another task": (BASIC + "metric: mae\n", 10, "metric", "write one of accuracy, balanced_accuracy"),
    "no classes": (BASIC.replace("classes: [neg, pos]\n", ""), 3, "task", "task binary needs its classes"),
    "three classes": (BASIC.replace("pos]", "pos, meh]"), 4, "classes", "task binary has two classes; 3 are listed"),
    "a class twice": (BASIC.replace("[neg, pos]", "[neg, neg]"), 4, "classes", "class 'neg' is listed twice"),
    "a class of a list": (BASIC.replace("[neg, pos]", "[neg, [pos]]"), 4, "classes", "classes cannot be a list"),
    "classes as a word": (BASIC.replace("[neg, pos]", "neg"), 4, "classes", "write a list of class names"),
    "regression on text": (
        BASIC.replace("binary", "regression").replace("classes: [neg, pos]\n", ""),
        8,
        "columns.sentiment",
        "is of type category, but regression learns a number",
    ),
    "regression with classes": (
        BASIC.replace("binary", "regression").replace("sentiment: {type: category}", "sentiment: {type: number}"),
        4,
        "classes",
        "task regression has no classes; 2 are listed",
    ),
    "budget": (BASIC + "budget: 600\n", 10, "budget", "write a time such as 90s, 10m or 1h30m"),
    "seed": (BASIC + "seed: -1\n", 10, "seed", "write a whole number, 0 or more"),
    "seed as text": (BASIC + 'seed: "1"\n', 10, "seed", "seed cannot be '1'"),
    "guards": (BASIC + "guards: [txt]\n", 10, "guards", "no column 'txt' under columns. Did you mean 'text'?"),
    "alpha": (BASIC + "trials:\n  alpha: 1.5\n", 11, "trials.alpha", "a chance above 0 and at most 0.5"),
    "alpha nan": (BASIC + "trials: {alpha: .nan}\n", 10, "trials.alpha", "alpha cannot be '.nan'"),
    "gain": (BASIC + "trials: {least_useful_gain: -1}\n", 10, "trials.least_useful_gain", "a gain of 0 or more"),
    "finalists": (BASIC + "trials: {finalists: 0}\n", 10, "trials.finalists", "1 or more"),
    "placebos": (BASIC + "trials: {placebo_draws: 2}\n", 10, "trials.placebo_draws", "5 or more"),
    "trials' key": (BASIC + "trials: {alfa: 0.1}\n", 10, "trials.alfa", "Did you mean 'alpha'?"),
    "a split's name": (BASIC + "splits: {names: {val: devv}}\n", 10, "splits.names.val", "Did you mean 'dev'?"),
    "shares": (
        BASIC + "splits:\n  shares: {train: 0.6, dev: 0.2, test: 0.1}\n",
        11,
        "splits.shares",
        "shares add up to 0.9",
    ),
    "a share": (
        BASIC + "splits: {shares: {train: 60, dev: 20, test: 20}}\n",
        10,
        "splits.shares.train",
        "a share between 0 and 1",
    ),
    "time of text": (BASIC + "splits: {time: text}\n", 10, "splits.time", "it gives no order in time"),
    "encoder's column": (BASIC + "encoders: {txt: x}\n", 10, "encoders.txt", "Did you mean 'text'?"),
    "encoder": (BASIC + "encoders: {text: {name: x, parms: 1}}\n", 10, "encoders.text.parms", "Did you mean 'params'?"),
    "unknown encoder": (
        BASIC + "seed: 1\nencoders:\n  text: text_ngram\n",
        12,
        "encoders.text",
        "no encoder is called 'text_ngram'. Did you mean 'text_ngrams'?",
    ),
    "unknown encoder with parameters": (
        BASIC + "encoders: {text: {params: {words: 9}, name: hashed}}\n",
        10,
        "encoders.text.name",
        "write one of category, date, ",
    ),
    "encoder's parameter": (
        BASIC + "encoders:\n  text:\n    name: text_ngrams\n    params:\n      wrods: 9\n",
        14,
        "encoders.text.params.wrods",
        "unknown key 'wrods'. Did you mean 'words'?",
    ),
    "encoder auto": (BASIC + "encoders: {text: auto}\n", 10, "encoders.text", "no encoder is called 'auto'"),
    "learner": (BASIC + "learner: [x]\n", 10, "learner", "write the name of an operator"),
    "unknown learner": (
        BASIC + "learner: liner\n",
        10,
        "learner",
        "no learner is called 'liner'. Did you mean 'linear'?",
    ),
    "learner's parameter": (
        BASIC + "learner: {name: linear, params: {penaltie: 1}}\n",
        10,
        "learner.params.penaltie",
        "Did you mean 'penalty'?",
    ),
    "parameters of auto": (
        BASIC + "learner: {name: auto, params: {penalty: 1}}\n",
        10,
        "learner.params.penalty",
        "'auto' has no parameters",
    ),
    "infinite parameter": (
        BASIC + "learner: {name: linear, params: {penalty: 1e999}}\n",
        10,
        "learner.params.penalty",
        "write a finite number",
    ),
    "empty source": (BASIC.replace("reviews.csv", "[]"), 1, "source", "source cannot be a list"),
    "alias": (BASIC + "guards: *x\n", 10, "", "anchors (&), aliases (*) and tags (!) are not read here"),
    "tag": (BASIC + "seed: !!int 3\n", 10, "", "anchors (&), aliases (*) and tags (!) are not read here"),
    "unclosed bracket": (BASIC + "guards: [a\nseed: 0\n", 11, "", "cannot be read as YAML"),
    "control sign": (BASIC + "guards: [\x07]\n", 10, "", "a control sign"),
    "a list as key": (BASIC + "? [a]\n: b\n", 10, "", "a key must be a text"),
    "two documents": (BASIC + "---\na: b\n", 10, "", "expected a single document"),
    "no mapping": ("just words", 1, "", "the file cannot be 'just words'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_line_key_and_remedy(case):
    text, line, key, said = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        parse(text, "some/tilth.yaml")
    where = f"some/tilth.yaml, line {line}"
    assert caught.value.where == (f"{where}, {key}" if key else where)
    assert said in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("text", ["", "# nothing\n", "[" * 2000])
def test_files_without_a_line_to_name(text):
    with pytest.raises(ConfigError, match=r"tilth\.yaml"):
        parse(text)


# writing


def test_the_text_by_hand():
    text = write(project(), {"text": "5,574 distinct values,\n80 signs # on average"})
    lines = [line.split("#")[0].rstrip() for line in text.splitlines()]
    assert [line for line in lines if line] == [
        "source: reviews.csv",
        "label: sentiment",
        "task: binary",
        "classes: [neg, pos]",
        "metric: accuracy",
        "columns:",
        "  text: {type: text}",
        "  sentiment: {type: category, role: label}",
        "splits:",
        "  column: null",
        "  names: {}",
        "  shares: {train: 0.6, dev: 0.2, test: 0.2}",
        "  time: null",
        "seed: 0",
        "budget: 10m",
        "guards: []",
        "trials: {alpha: 0.05, least_useful_gain: 0, finalists: 6, placebo_draws: 5}",
        "encoders: {}",
        'store: ".tilth"',
        "learner: auto",
        "python: null",
        "labelers: []",
        "slices: []",
    ]
    assert "# 5,574 distinct values, 80 signs # on average" in text
    assert max(map(len, text.splitlines())) <= 120


def test_comments_tell_what_is_allowed():
    text = write(project(), {})
    for words in (ColumnType, Role, Visibility, TaskType, Split, METRICS):
        assert " | ".join(words) in text


def test_many_classes_are_wrapped():
    classes = tuple(f"class {i}" for i in range(77))
    task = Task(type=TaskType.MULTICLASS, label="sentiment", classes=classes)
    many = replace(project(), schema=project().schema.with_task(task))
    text = write(many, {})
    assert max(map(len, text.splitlines())) <= 120
    assert parse(text) == many


def test_a_column_name_of_a_whole_paragraph():
    column = Column(name="long: " + "x" * 1500, type=ColumnType.TEXT)
    schema = replace(project().schema, columns=(*project().schema.columns, column))
    long = replace(project(), schema=schema, encoders={column.name: OperatorChoice(name="category")})
    text = write(long, {column.name: "long"})
    assert parse(text) == long
    assert column.name in yaml.safe_load(text)["columns"]


few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.sampled_from(NASTY + NASTY_TOO) | st.text(max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
free_roles = st.sampled_from([Role.FEATURE, Role.TIME, Role.PRED_PROBS, Role.IGNORE])


@st.composite
def choices(draw, room):
    one = draw(st.sampled_from(listings(room)))
    keys = draw(st.lists(st.sampled_from(sorted(one.parameters)), unique=True))
    return OperatorChoice(name=one.name, params={key: draw(json_values) for key in keys})


@st.composite
def tasks(draw, label):
    kind = draw(st.sampled_from(TaskType))
    n_classes = {TaskType.BINARY: (2, 2), TaskType.MULTICLASS: (2, 30), TaskType.REGRESSION: (0, 0)}[kind]
    classes = draw(st.lists(names, min_size=n_classes[0], max_size=n_classes[1], unique=True))
    metric = "mae" if kind is TaskType.REGRESSION else draw(st.sampled_from(METRICS[:2]))
    return Task(type=kind, label=label, classes=tuple(classes), metric=metric)


@st.composite
def split_plans(draw, columns):
    split = draw(st.none() | st.sampled_from([c.name for c in columns if c.role is Role.SPLIT] or [None]))
    if split is None and any(c.role is Role.SPLIT for c in columns):
        split = next(c.name for c in columns if c.role is Role.SPLIT)
    times = [c.name for c in columns if c.role is Role.TIME and c.type in (ColumnType.DATE, ColumnType.NUMBER)]
    return SplitPlan(
        column=split,
        names=draw(st.dictionaries(names, st.sampled_from(Split), max_size=3)),
        shares=draw(st.sampled_from([Shares(), Shares(0.7, 0.15, 0.15), Shares(1 / 3, 1 / 3, 1 / 3)])),
        time=draw(st.none() | st.sampled_from([ROW_ORDER, *times])),
    )


@st.composite
def project_files(draw):
    known = draw(st.lists(names, min_size=1, max_size=8, unique=True))
    task = draw(tasks(known[0]))
    roles = [Role.LABEL, *draw(st.permutations([Role.ID, Role.SPLIT, Role.GROUP, *[draw(free_roles)] * 4]))]
    columns = [
        Column(
            name=name,
            type=ColumnType.NUMBER if role is Role.LABEL else draw(st.sampled_from(ColumnType)),
            role=role,
            visibility=draw(st.sampled_from(Visibility)),
            at_serving=draw(st.booleans()),
        )
        for name, role in zip(known, roles, strict=False)
    ]
    some = st.lists(st.sampled_from(known), unique=True)
    return ProjectFile(
        source=draw(
            names.filter(bool)
            | st.lists(names, min_size=1, max_size=12).map(tuple)
            | st.dictionaries(names, names, min_size=1, max_size=3)
        ),
        schema=Schema(columns=tuple(draw(st.permutations(columns))), tasks=(task,)),
        splits=draw(split_plans(columns)),
        seed=draw(st.integers(0, 2**64)),
        budget=draw(st.sampled_from(["10m", "90s", "1h30m", "0.5 h", " 2m\n5s "])),
        guards=tuple(draw(some)),
        alpha=draw(st.floats(1e-6, 0.5)),
        least_useful_gain=draw(st.floats(0, 1e30)),
        finalists=draw(st.integers(1, 10**6)),
        placebo_draws=draw(st.integers(5, 10**6)),
        encoders={name: draw(choices("encoding")) for name in draw(some)},
        learner=draw(choices("learning") | st.just(OperatorChoice(name="auto"))),
    )


@given(project_files(), st.text(max_size=20))
@few
def test_what_is_written_is_read_again(project_file, note):
    text = write(project_file, dict.fromkeys(project_file.schema.names, note))
    assert parse(text) == project_file


@given(project_files())
@few
def test_other_yaml_readers_see_the_same(project_file):
    found = yaml.safe_load(write(project_file, {}))
    assert list(found["columns"]) == list(project_file.schema.names)
    assert (found["label"], found["budget"]) == (project_file.schema.task.label, project_file.budget)
    assert tuple(found["classes"]) == project_file.schema.task.classes
    assert found["trials"]["alpha"] == project_file.alpha
