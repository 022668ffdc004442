"""Votes from outside: matrices, WRENCH, long tables; what abstains, which classes there are, and what is refused."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.errors import (
    DuplicateIdError,
    LabelError,
    SourceError,
    UnknownColumnError,
    UsageError,
)
from tilth.core.votes import Votes
from tilth.sources._votes import VoteReading, read_votes

MATRIX = np.array([[0, 1, -1], [1, 1, 1], [-1, -1, -1], [0, 0, 1]])
AS_CSV = "a,b,c\n0,1,-1\n1,1,1\n-1,-1,-1\n0,0,1\n"


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def votes_of(source, *, truth=None, trusted=None, **reading):
    return read_votes(source, truth=truth, trusted=trusted, reading=VoteReading(**reading))


def matrix_of(votes):
    numbers, abstained = votes.dense()
    return np.where(abstained, -1, numbers)


def each_way(folder):
    np.save(folder / "v.npy", MATRIX)
    np.save(folder / "f.npy", np.where(MATRIX < 0, np.nan, MATRIX))
    np.save(folder / "i8.npy", MATRIX.astype(np.int8))
    columns = {name: pa.array(MATRIX[:, j]) for j, name in enumerate("abc")}
    pq.write_table(pa.table(columns), folder / "v.parquet")
    np.savetxt(folder / "headerless.csv", MATRIX, delimiter=",")
    wrench = {str(i): {"label": 0, "weak_labels": row, "data": {"text": "x"}} for i, row in enumerate(MATRIX.tolist())}
    yield from (str(folder / name) for name in ("v.npy", "f.npy", "i8.npy", "v.parquet", "headerless.csv"))
    yield written(folder, "v.csv", AS_CSV)
    yield written(folder, "empty_cells.csv", AS_CSV.replace("-1", ""))
    yield written(folder, "floats.csv", AS_CSV.replace("0,", "0.0,"))
    yield written(folder, "w.json", json.dumps(wrench))
    yield written(folder, "records.json", json.dumps([dict(zip("abc", row, strict=True)) for row in MATRIX.tolist()]))
    yield from (MATRIX, MATRIX.tolist(), wrench, pa.table(columns), pd.DataFrame(MATRIX, columns=list("abc")))
    yield pl.DataFrame({name: [None if v < 0 else v for v in MATRIX[:, j]] for j, name in enumerate("abc")})


def test_every_form_of_a_matrix_gives_the_same_votes(tmp_path):
    ways = [votes_of(source).votes for source in each_way(tmp_path)]
    assert len(ways) == 16
    for votes in ways:
        assert matrix_of(votes).tolist() == MATRIX.tolist()
        assert votes.classes == ("0", "1")
        assert votes.row_ids.to_pylist() == ["0", "1", "2", "3"]


def test_labelers_have_the_names_of_the_header(tmp_path):
    read = votes_of(written(tmp_path, "v.csv", AS_CSV))
    assert read.votes.labelers == ("a", "b", "c")
    assert read.notes == ("a matrix of 4 rows and 3 labelers",)
    assert votes_of(MATRIX).votes.labelers == ("labeler0", "labeler1", "labeler2")


@pytest.mark.parametrize("name", ["row_id", "id", "Index", "task"])
def test_a_column_of_ids_names_the_rows(tmp_path, name):
    text = f"{name},a,b\nx,0,1\ny,1,\nz,,0\n"
    read = votes_of(written(tmp_path, "v.csv", text))
    assert read.votes.row_ids.to_pylist() == ["x", "y", "z"]
    assert read.votes.labelers == ("a", "b")


def test_class_names_are_classes_in_natural_order_and_case_of_true_does_not_matter(tmp_path):
    names = votes_of(written(tmp_path, "n.csv", "a,b,c\nham,spam,\nspam,spam,ABSTAIN\nham,,ham\n")).votes
    assert names.classes == ("ham", "spam")
    assert matrix_of(names).tolist() == [[0, 1, -1], [1, 1, -1], [0, -1, 0]]
    assert votes_of(pl.DataFrame({"a": [True, False], "b": ["TRUE", "false"]})).votes.classes == ("false", "true")


def test_classes_may_be_named_and_numbers_count_them(tmp_path):
    read = votes_of(MATRIX, classes=("ham", "spam", "other"))
    assert read.votes.classes == ("ham", "spam", "other")
    assert matrix_of(read.votes).tolist() == MATRIX.tolist()
    path = written(tmp_path, "n.csv", "a,b\nspam,ham\nham,ham\n")
    assert matrix_of(votes_of(path, classes=("spam", "ham")).votes).tolist() == [[0, 1], [1, 1]]


def test_what_abstains_can_be_said():
    ones = np.array([[1, 0, -1], [-1, 0, 1], [1, 1, 0]])
    snorkel = votes_of(ones, abstain="0").votes
    assert snorkel.classes == ("-1", "1")
    assert matrix_of(snorkel).tolist() == [[1, -1, 0], [0, -1, 1], [1, 1, -1]]
    assert votes_of(ones, abstain="none").votes.classes == ("-1", "0", "1")
    assert votes_of(pa.table({"a": ["x", "nix"], "b": ["y", "y"]}), abstain="nix").votes.classes == ("x", "y")


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([[-1, 0, 1], [0, 1, -1], [1, -1, 0]], "if 0 abstains and -1 is a class, type --abstain 0"),
        ([[-1, 0, 1], [0, 1, 0], [1, 0, 0]], "some labelers never say -1, so that 0 may abstain instead"),
        ([[-1, 1, 1], [0, -1, -1], [1, 1, -1]], None),
        ([[0, 1, 2], [-1, 1, 2]], None),
    ],
)
def test_a_matrix_that_could_be_read_either_way_says_so(matrix, says):
    read = votes_of(np.array(matrix))
    assert [says in said for said in read.warnings] == ([] if says is None else [True])
    table = votes_of(pa.table({f"l{j}": column for j, column in enumerate(np.array(matrix).T)}))
    assert table.warnings == read.warnings


def test_a_truth_of_minus_one_and_one_says_that_zero_abstains(tmp_path):
    text = "a,b,Label\n-1,0,1\n1,0,-1\n0,1,1\n1,1,1\n"
    read = votes_of(written(tmp_path, "v.csv", text), truth="Label")
    assert any("the truth is -1 or 1" in said for said in read.warnings)
    by_file = votes_of(np.array([[-1, 0], [1, 1]]), truth=[-1, 1])
    assert any("type --abstain 0" in said for said in by_file.warnings)


# -- long tables -------------------------------------------------------------------------------------------------------

LONG = "task,worker,answer\nt2,ann,spam\nt1,bob,ham\nt2,bob,spam\nt1,ann,\n"


@pytest.mark.parametrize(
    "header",
    [
        "task,worker,answer",
        "question,annotator,label",
        "Item,Labeler,Vote",
        "row_id,source,class",
        "item_id,worker_id,label",
    ],
)
def test_long_tables_are_known_by_their_columns(tmp_path, header):
    read = votes_of(written(tmp_path, "l.csv", LONG.replace("task,worker,answer", header)))
    assert read.notes[0].startswith("a long table: rows in ")
    assert read.votes.row_ids.to_pylist() == ["t2", "t1"]
    assert read.votes.labelers == ("ann", "bob")
    assert matrix_of(read.votes).tolist() == [[1, 1], [-1, 0]]


def test_columns_of_a_long_table_may_be_named(tmp_path):
    path = written(tmp_path, "l.csv", LONG.replace("task,worker,answer", "q,who,said"))
    with pytest.raises(LabelError, match="--columns q,who,said"):
        votes_of(path)
    assert votes_of(path, columns=("q", "who", "said")).votes.labelers == ("ann", "bob")
    with pytest.raises(UnknownColumnError, match="Did you mean 'who'"):
        votes_of(path, columns=("q", "whom", "said"))
    with pytest.raises(UsageError, match="three names"):
        votes_of(path, columns=("q", "who"))


def test_ids_of_mixed_type_are_names():
    frame = pd.DataFrame(
        {"task": [1, "1", 2.0, 2, None], "worker": ["a", 7, 7.0, "a", 7], "answer": ["x", 1, 1.0, "1", "x"]}
    )
    read = votes_of(frame)
    assert read.votes.row_ids.to_pylist() == ["1", "2"]
    assert read.votes.labelers == ("7", "a")
    assert read.votes.classes == ("1", "x")
    assert any("left out: 1" in said for said in read.warnings)


def test_a_second_answer_counts_and_minus_one_is_told(tmp_path):
    text = "row,worker,answer\n1,a,0\n1,a,1\n2,a,-1\n2,b,1\n"
    read = votes_of(written(tmp_path, "l.csv", text))
    assert read.votes.said.tolist() == [0, 1, 1]
    assert any("beside its first" in said for said in read.warnings)
    assert any("answers of -1, read as abstaining: 1" in said for said in read.warnings)


def test_the_order_of_lines_changes_nothing_but_the_order_of_rows(tmp_path):
    lines = ["t1,a,x", "t1,b,y", "t2,a,x", "t2,c,x", "t3,b,y"]
    some = votes_of(written(tmp_path, "a.csv", "\n".join(["row,worker,answer", *lines]))).votes
    other = votes_of(written(tmp_path, "b.csv", "\n".join(["row,worker,answer", *lines[::-1]]))).votes
    assert some.labelers == other.labelers == ("a", "b", "c")
    assert matrix_of(some).tolist() == matrix_of(other)[::-1].tolist()


# -- WRENCH ------------------------------------------------------------------------------------------------------------


def wrench(n=4):
    return {str(i): {"label": i % 2, "weak_labels": [i % 2, 1, -1], "data": {"text": "x"}} for i in range(n)}


def test_wrench_has_its_truth_and_its_class_names(tmp_path):
    written(tmp_path, "label.json", '{"0": "ham", "1": "spam"}')
    read = votes_of(written(tmp_path, "train.json", json.dumps(wrench())))
    assert read.votes.classes == ("ham", "spam")
    assert read.truth.classes.tolist() == [0, 1, 0, 1]
    assert read.truth.known.all()
    assert votes_of(wrench()).votes.classes == ("0", "1")


def test_wrench_without_labels_has_no_truth():
    rows = {name: {**row, "label": -1} for name, row in wrench().items()}
    assert votes_of(rows).truth is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weak_labels": [1, 0]}, "3 expected, row 9 has 2"),
        ({"data": {}}, "no list 'weak_labels' in row 9"),
        ({"weak_labels": [[1], 0, 1]}, "is no class"),
    ],
)
def test_wrench_rows_that_do_not_fit_are_refused(change, says):
    with pytest.raises(SourceError, match=says):
        votes_of({**wrench(), "9": change})


def test_a_label_file_that_names_no_classes_is_refused(tmp_path):
    path = written(tmp_path, "train.json", json.dumps(wrench()))
    for text in ("[1]", '{"0": "a", "2": "b"}', '{"x": "a"}', "{"):
        written(tmp_path, "label.json", text)
        with pytest.raises(SourceError, match=r"label\.json"):
            votes_of(path)


# -- truth -------------------------------------------------------------------------------------------------------------

NAMED = "row_id,a,b\nx,0,1\ny,1,\nz,,0\n"


def test_truth_joins_by_id_from_wherever_it_comes(tmp_path):
    path = written(tmp_path, "v.csv", NAMED)
    file = written(tmp_path, "t.csv", "id,gold\nz,1\nx,0\nq,1\n")
    for truth in (file, f"{file}:gold", {"z": 1, "x": 0}, pd.DataFrame({"row_id": ["z", "x"], "label": [1, 0]})):
        found = votes_of(path, truth=truth).truth
        assert found.classes.tolist() == [0, 0, 1]
        assert found.known.tolist() == [True, False, True]
    assert "left out: 1" in votes_of(path, truth=file).warnings[0]


def test_truth_joins_by_position_where_rows_have_no_names(tmp_path):
    np.save(tmp_path / "y.npy", np.array([1, -1, 0, 1]))
    for truth in (
        str(tmp_path / "y.npy"),
        [1, None, 0, 1],
        np.array([1.0, np.nan, 0.0, 1.0]),
        pd.Series([1, None, 0, 1]),
    ):
        found = votes_of(MATRIX, truth=truth).truth
        assert found.classes.tolist() == [1, 0, 0, 1]
        assert found.known.tolist() == [True, False, True, True]


def test_truth_with_numbers_for_ids_counts_rows_from_0_where_the_votes_have_none():
    shuffled = pd.DataFrame({"id": [3, 0, 2, 1], "truth": [1, 0, 1, 0]})
    assert votes_of(MATRIX, truth=shuffled).truth.classes.tolist() == [0, 0, 1, 1]
    part = votes_of(MATRIX, truth={2: 1})
    assert part.truth.known.tolist() == [False, False, True, False]
    assert "counted from 0" in part.warnings[0]
    from_one = pd.DataFrame({"id": [1, 2, 3, 4], "truth": [1, 0, 1, 0]})
    assert votes_of(MATRIX, truth=from_one).truth.classes.tolist() == [1, 0, 1, 0]


def test_packed_arrays_are_unpacked(tmp_path):
    np.save(tmp_path / "v.npy", MATRIX)
    (tmp_path / "v.npy.gz").write_bytes(gzip.compress((tmp_path / "v.npy").read_bytes()))
    assert matrix_of(votes_of(str(tmp_path / "v.npy.gz")).votes).tolist() == MATRIX.tolist()


def test_truth_may_be_a_column_and_is_then_no_labeler(tmp_path):
    path = written(tmp_path, "v.csv", "a,b,Label\n0,1,1\n1,1,1\n0,,0\n")
    read = votes_of(path, truth="Label")
    assert read.votes.labelers == ("a", "b")
    assert read.truth.classes.tolist() == [1, 1, 0]
    unasked = votes_of(path)
    assert unasked.votes.labelers == ("a", "b")
    assert unasked.truth is None
    assert "--truth Label" in unasked.warnings[0]


def test_truth_of_a_long_table_is_one_per_row(tmp_path):
    text = "row,worker,answer,gold\n1,a,0,0\n1,b,1,\n2,a,0,1\n2,b,1,1\n"
    assert votes_of(written(tmp_path, "l.csv", text), truth="gold").truth.classes.tolist() == [0, 1]
    with pytest.raises(LabelError, match="two truths for one row: '2'"):
        votes_of(written(tmp_path, "l.csv", text.replace("2,b,1,1", "2,b,1,0")), truth="gold")


@pytest.mark.parametrize(
    ("truth", "error", "says"),
    [
        ({"x": 2}, LabelError, "the truth names what is no class: '2'"),
        ({"q": 1}, SourceError, "names no row of the votes"),
        ([1, 0], SourceError, "holds 2 rows, and the votes 3"),
        (np.zeros((3, 2)), SourceError, "shape"),
        ("gold", UnknownColumnError, "no column 'gold'"),
        (pd.DataFrame({"row_id": ["x", "x"], "y": [1, 0]}), DuplicateIdError, "'x'"),
        (pd.DataFrame({"row_id": ["x"], "foo": [1], "bar": [0]}), UnknownColumnError, "which column holds the truth"),
    ],
)
def test_truth_that_does_not_fit_is_refused(tmp_path, truth, error, says):
    with pytest.raises(error, match=says):
        votes_of(written(tmp_path, "v.csv", NAMED), truth=truth)


def test_positions_are_no_names_for_a_long_table(tmp_path):
    with pytest.raises(SourceError, match="no row ids"):
        votes_of(written(tmp_path, "l.csv", LONG), truth=["ham", "spam"])


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("v.csv", "", SourceError, "empty"),
        ("v.csv", "a,b\n", SourceError, "no rows"),
        ("v.csv", "a,b\n0,1\n1\n", SourceError, "rows of different length"),
        ("v.csv", "a,a\n0,1\n", SourceError, "two columns are called 'a'"),
        ("v.csv", "row_id,a\nx,0\nx,1\n", DuplicateIdError, "two rows are called 'x'"),
        ("v.csv", "row_id,a\nx,0\n,1\n", SourceError, "no id in line 2"),
        ("v.csv", "row_id,gold\nx,0\ny,1\n", SourceError, "no column is a labeler"),
        ("v.csv", "a,b\n1,-1\n1,1\n", LabelError, "all votes are for one class, '1'"),
        ("v.csv", "a,b\n-1,-1\n-1,-1\n", LabelError, "every cell abstains"),
        ("v.csv", "a,b\n-2,0\n1,0\n", LabelError, "-2 is neither a class number"),
        ("v.csv", "a,b\n0.5,0\n1,0\n", LabelError, "classes, not amounts"),
        ("v.csv", "text,a\n" + "\n".join(f"text {i},{i % 2}" for i in range(60)), LabelError, "--ignore 'text'"),
        ("v.csv", "row,worker,answer\n1,,x\n1,,y\n", SourceError, "no line names both"),
        ("v.npy", "text", SourceError, "no NumPy array"),
        ("v.txt", "a,b", SourceError, "not known"),
        ("v.json", '{"0": {"weak_labels": [1,', SourceError, "not JSON"),
    ],
)
def test_files_that_hold_no_votes_are_refused(tmp_path, name, text, error, says):
    with pytest.raises(error, match=says) as caught:
        votes_of(written(tmp_path, name, text))
    assert caught.value.next_step
    assert name in caught.value.message


@pytest.mark.parametrize(
    "source", [np.zeros(3), np.zeros((0, 3)), np.array([[np.inf]]), np.array([["a"]]), [[0, 1], [1]], 5, None]
)
def test_values_that_hold_no_votes_are_refused(source):
    with pytest.raises(SourceError):
        votes_of(source)


def test_words_beside_the_named_classes_are_refused():
    with pytest.raises(LabelError, match=r"'hma'\. Did you mean 'ham'"):
        votes_of(pa.table({"a": ["hma", "ham"], "b": ["spam", "spam"]}), classes=("ham", "spam"))
    with pytest.raises(LabelError, match="class number 2; there are 2 classes"):
        votes_of(np.array([[0, 2], [1, 1]]), classes=("ham", "spam"))
    with pytest.raises(LabelError, match="two different classes"):
        votes_of(MATRIX, classes=("ham",))


def test_votes_are_taken_as_they_are():
    votes = Votes.of_matrix(MATRIX, classes=("no", "yes", "never"), row_ids=pa.array(list("wxyz")))
    again = votes_of(votes, truth={"w": "yes"})
    assert again.votes.classes == votes.classes
    assert matrix_of(again.votes).tolist() == MATRIX.tolist()
    assert again.truth.known.tolist() == [True, False, False, False]


def test_a_million_cells_that_abstain_cost_nothing():
    wide = np.full((1_000, 1_200), -1, dtype=np.int8)
    wide[::3, ::7] = np.arange(len(wide[::3, ::7]))[:, None] % 56
    votes = votes_of(wide).votes
    assert len(votes.rows) == int((wide >= 0).sum())
    assert votes.n_classes == 56
