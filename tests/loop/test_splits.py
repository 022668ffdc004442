from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from tilth.core.errors import SplitError
from tilth.core.ids import row_digests, text_digests
from tilth.core.names import Split
from tilth.loop.splits import ROW_ORDER, Shares, SplitPlan, SplitRows, assign

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
THREE = ("train", "dev", "test")
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def digests_of(n):
    return text_digests(str(i).encode() for i in range(n))


def rows_of(n, *, given=None, classes=None, labelled=None, **fields):
    return SplitRows(
        digests=digests_of(n),
        labelled=np.ones(n, dtype=bool) if labelled is None else np.asarray(labelled),
        given=given,
        classes=np.zeros(n, dtype=np.intp) if classes is None else np.asarray(classes),
        **fields,
    )


def counts_of(rows, plan=None, seed=0):
    return dict(Counter(assign(rows, plan or SplitPlan(), seed).splits.tolist()))


def permuted(rows, order):
    def move(value):
        if isinstance(value, np.ndarray):
            return value[order]
        return [value[i] for i in order] if isinstance(value, list) else value

    return SplitRows(**{name: move(getattr(rows, name)) for name in SplitRows.__dataclass_fields__})


# by hand


def test_nothing_given_is_cut_60_20_20_in_every_class():
    classes = np.repeat([0, 1], [10, 30])
    splits = assign(rows_of(40, classes=classes), SplitPlan(), 0).splits
    assert Counter(splits[classes == 0].tolist()) == {"train": 6, "dev": 2, "test": 2}
    assert Counter(splits[classes == 1].tolist()) == {"train": 18, "dev": 6, "test": 6}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Train ", "train"),
        ("val", "dev"),
        ("VALID", "dev"),
        ("validation", "dev"),
        ("eval", "dev"),
        ("dev", "dev"),
        ("TEST", "test"),
        ("pool", "pool"),
        ("holdout", None),
    ],
)
def test_names_of_splits(name, split):
    assert SplitPlan().split_of(name) == split


def test_the_plans_own_names_come_first():
    plan = SplitPlan(names={"eval": Split.TEST, "Fold 1": Split.TRAIN})
    assert plan.split_of("eval") is Split.TEST
    assert plan.split_of("fold 1") is Split.TRAIN


def test_given_splits_are_respected_even_where_duplicates_straddle():
    given = ["train", "val", "test"] * 4
    rows = rows_of(12, given=given, duplicates=np.zeros(12, dtype=np.intp))
    result = assign(rows, SplitPlan(), 0)
    assert result.splits.tolist() == ["train", "dev", "test"] * 4
    assert result.notes == []


def test_missing_dev_is_cut_from_train():
    given = ["train"] * 80 + ["test"] * 20
    result = assign(rows_of(100, given=given), SplitPlan(), 0)
    assert Counter(result.splits.tolist()) == {"train": 60, "dev": 20, "test": 20}
    assert set(result.splits[80:]) == {"test"}
    assert result.notes == ["no dev split was given: it is cut from train"]


def test_missing_test_is_half_of_a_dev_of_800_rows():
    given = ["train"] * 100 + ["val"] * 800
    result = assign(rows_of(900, given=given), SplitPlan(), 0)
    assert Counter(result.splits.tolist()) == {"train": 100, "dev": 400, "test": 400}
    assert "half of the 800 rows of dev" in result.notes[0]


def test_missing_test_is_cut_from_train_where_dev_has_799_rows():
    given = ["train"] * 100 + ["val"] * 799
    assert counts_of(rows_of(899, given=given)) == {"train": 75, "dev": 799, "test": 25}


def test_missing_train_splits_dev_again_with_a_warning():
    given = ["validation"] * 80 + ["test"] * 20
    result = assign(rows_of(100, given=given), SplitPlan(), 0)
    assert Counter(result.splits.tolist()) == {"train": 60, "dev": 20, "test": 20}
    assert set(result.splits[80:]) == {"test"}
    assert result.notes == ["no train split was given: it is cut from dev"]


@pytest.mark.parametrize("only", THREE)
def test_a_lone_split_is_cut_in_three(only):
    result = assign(rows_of(100, given=[only] * 100), SplitPlan(), 0)
    assert Counter(result.splits.tolist()) == {"train": 60, "dev": 20, "test": 20}
    assert f"only a {only} split" in result.notes[0]


def test_shares_of_the_plan_are_used_by_their_ratio():
    plan = SplitPlan(shares=Shares(0.5, 0.4, 0.1))
    assert counts_of(rows_of(100), plan) == {"train": 50, "dev": 40, "test": 10}
    assert counts_of(rows_of(100, given=["train"] * 90 + ["test"] * 10), plan) == {
        "train": 50,
        "dev": 40,
        "test": 10,
    }


def test_unknown_names_and_empty_names_are_unused_and_said():
    given = ["train"] * 20 + ["dev"] * 10 + ["test"] * 10 + ["label_book"] * 3 + [None] * 2
    result = assign(rows_of(45, given=given), SplitPlan(), 0)
    assert result.splits[40:].tolist() == ["unused"] * 5
    assert any("3 rows of split 'label_book' are unused" in note for note in result.notes)
    assert any("2 rows of no named split are unused" in note for note in result.notes)


def test_a_name_can_be_given_a_meaning():
    given = ["train"] * 20 + ["dev"] * 10 + ["test"] * 10 + ["label_book"] * 3
    plan = SplitPlan(names={"label_book": Split.TRAIN})
    assert counts_of(rows_of(43, given=given), plan) == {"train": 23, "dev": 10, "test": 10}


def test_rows_without_a_label_join_the_pool_wherever_they_stand():
    given = ["train", "dev", "test", "other"] * 10
    labelled = np.arange(40) >= 8
    result = assign(rows_of(40, given=given, labelled=labelled), SplitPlan(), 0)
    assert result.splits[:8].tolist() == ["pool"] * 8
    assert "2 rows of test have no label: they join the pool and are not scored" in result.notes


def test_a_test_file_without_labels_counts_as_no_test():
    given = ["train"] * 80 + ["test"] * 20
    result = assign(rows_of(100, given=given, labelled=np.arange(100) < 80), SplitPlan(), 0)
    assert Counter(result.splits.tolist()) == {"train": 48, "dev": 16, "test": 16, "pool": 20}


def test_classes_too_rare_for_every_split_stay_in_train_and_are_reported():
    classes = np.array([0] * 50 + [1] * 50 + [2] * 2 + [3])
    rows = rows_of(103, classes=classes, class_names=["a", "b", "cc", "d"])
    result = assign(rows, SplitPlan(), 0)
    assert result.splits[100:].tolist() == ["train"] * 3
    assert result.rare_classes == (2, 3)
    assert "class cc (2 rows), d (1 rows)" in result.notes[-1]


def test_a_class_of_three_rows_stands_in_every_split():
    classes = np.array([0] * 50 + [1] * 3)
    splits = assign(rows_of(53, classes=classes), SplitPlan(), 0).splits
    assert set(splits[50:]) == set(THREE)


def test_where_all_classes_are_rare_no_split_stays_empty():
    splits = assign(rows_of(40, classes=np.arange(40) // 2), SplitPlan(), 0).splits
    assert Counter(splits.tolist()) == {"train": 24, "dev": 8, "test": 8}


def test_groups_of_one_size_are_apportioned():
    groups = np.repeat(np.arange(10), 4)
    splits = assign(rows_of(40, groups=groups), SplitPlan(), 0).splits
    assert Counter(splits[::4].tolist()) == {"train": 6, "dev": 2, "test": 2}
    assert all(len(set(splits[groups == group])) == 1 for group in range(10))


def test_rows_without_a_group_stand_alone():
    groups = np.zeros(40, dtype=np.intp)
    rows = rows_of(40, groups=groups, grouped=np.arange(40) < 4)
    assert counts_of(rows) == {"train": 24, "dev": 8, "test": 8}


def test_a_group_that_is_too_large_is_said():
    groups = np.r_[np.zeros(90, dtype=np.intp), np.arange(1, 11)]
    result = assign(rows_of(100, groups=groups), SplitPlan(), 0)
    assert set(result.splits) == set(THREE)
    assert "train holds 9" in result.notes[1]
    assert "has 90" in result.notes[1]


def test_numbers_are_stratified_by_quantile():
    numbers = np.random.default_rng(0).lognormal(size=1000)
    rows = replace(rows_of(1000), classes=None, numbers=numbers)
    splits = assign(rows, SplitPlan(), 0).splits
    highest = numbers >= np.quantile(numbers, 0.9)
    assert Counter(splits[highest].tolist()) == {"train": 60, "dev": 20, "test": 20}


# time


def test_time_runs_forward():
    time = np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    splits = assign(rows_of(10, time=time), SplitPlan(time="when"), 0).splits
    assert splits.tolist() == ["test"] * 2 + ["dev"] * 2 + ["train"] * 6


def test_the_order_of_rows_as_time():
    splits = assign(rows_of(10), SplitPlan(time=ROW_ORDER), 0).splits
    assert splits.tolist() == ["train"] * 6 + ["dev"] * 2 + ["test"] * 2


def test_a_moment_is_not_parted():
    time = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2], dtype="datetime64[D]")
    splits = assign(rows_of(10, time=time), SplitPlan(time="day"), 0).splits
    assert splits.tolist() == ["train"] * 5 + ["dev"] * 3 + ["test"] * 2


def test_missing_dev_is_the_newest_of_train():
    given = ["train"] * 8 + ["test"] * 2 + ["train"] * 4
    rows = rows_of(14, given=given, time=np.arange(14))
    splits = assign(rows, SplitPlan(time="when"), 0).splits
    assert splits.tolist() == ["train"] * 8 + ["test"] * 2 + ["train"] + ["dev"] * 3


def test_rows_of_unknown_time_are_unused():
    time = np.r_[np.arange(10.0), np.nan]
    result = assign(rows_of(11, time=time), SplitPlan(time="when"), 0)
    assert result.splits.tolist() == ["train"] * 6 + ["dev"] * 2 + ["test"] * 2 + ["unused"]
    assert "1 rows are unused: their when is not known" in result.notes


def test_a_duplicate_across_a_boundary_in_time_is_left_out():
    duplicates = np.arange(20)
    duplicates[19] = 0
    result = assign(rows_of(20, duplicates=duplicates), SplitPlan(time=ROW_ORDER), 0)
    assert sorted([result.splits[0], result.splits[19]]) in (["train", "unused"], ["test", "unused"])
    assert Counter(result.splits.tolist())["unused"] == 1
    assert any("1 rows are unused" in note for note in result.notes)


# refusals


@pytest.mark.parametrize(
    ("rows", "plan", "said"),
    [
        (rows_of(9), SplitPlan(), "9 rows with a label are too few"),
        (rows_of(20, labelled=np.zeros(20, dtype=bool)), SplitPlan(), "no row has a label"),
        (rows_of(20, groups=np.zeros(20, dtype=np.intp)), SplitPlan(), "too few groups (1)"),
        (rows_of(20, duplicates=np.arange(20) % 2), SplitPlan(), "too few different rows (2)"),
        (rows_of(20, given=["fold1", "fold2"] * 10), SplitPlan(), "names 'fold1', 'fold2'"),
        (rows_of(20, time=np.arange(20) % 2), SplitPlan(time="when"), "too few different times"),
        (
            rows_of(20, groups=np.zeros(20, dtype=np.intp)),
            SplitPlan(time=ROW_ORDER),
            "cannot all be filled forward in time",
        ),
    ],
)
def test_what_cannot_be_split_is_refused_with_a_remedy(rows, plan, said):
    with pytest.raises(SplitError) as caught:
        assign(rows, plan, 0)
    assert said in caught.value.message
    assert caught.value.next_step


# laws


@st.composite
def tables(draw, *, links=True):
    n = draw(st.integers(12, 60))
    coded = st.lists(st.integers(0, n), min_size=n, max_size=n)
    numbers = st.lists(st.integers(0, draw(st.integers(0, 4))), min_size=n, max_size=n)
    names = st.sampled_from(["train", "val", "test", "other", None])
    return rows_of(
        n,
        classes=np.array(draw(numbers)),
        labelled=np.array(draw(st.lists(st.sampled_from([True] * 9 + [False]), min_size=n, max_size=n))),
        given=draw(st.none() | st.lists(names, min_size=n, max_size=n)),
        groups=np.array(draw(coded)) if links and draw(st.booleans()) else None,
        duplicates=np.array(draw(coded)) if links and draw(st.booleans()) else None,
        time=np.array(draw(coded)),
    )


def assigned(rows, plan, seed):
    try:
        return assign(rows, plan, seed)
    except SplitError:  # what is refused has tests of its own
        return None


plans = st.sampled_from([SplitPlan(), SplitPlan(time="when"), SplitPlan(shares=Shares(0.7, 0.1, 0.2))])


@given(tables(), plans, st.integers(0, 9), st.randoms(use_true_random=False))
@few
def test_every_row_gets_one_split_whatever_the_order_of_rows(rows, plan, seed, random):
    result = assigned(rows, plan, seed)
    order = np.array(random.sample(range(len(rows.labelled)), len(rows.labelled)))
    moved = assigned(permuted(rows, order), plan, seed)
    assert (result is None) == (moved is None)
    if result is None or moved is None:
        return
    assert set(result.splits) <= {split.value for split in Split}
    assert (result.splits == "pool").tolist() == (~rows.labelled).tolist()
    assert set(THREE) <= set(result.splits)
    assert moved.splits.tolist() == result.splits[order].tolist()
    assert moved.notes == result.notes


@given(tables(), plans, st.integers(0, 9))
@few
def test_groups_and_duplicates_never_straddle_a_cut(rows, plan, seed):
    rows = replace(rows, given=None)
    result = assigned(rows, plan, seed)
    for codes in (rows.groups, rows.duplicates):
        if codes is None or result is None:
            continue
        for code in np.unique(codes):
            assert len(set(result.splits[codes == code]) & set(THREE)) <= 1


@given(tables(), st.integers(0, 9))
@few
def test_no_row_of_an_older_split_is_as_new_as_one_of_a_newer(rows, seed):
    rows = replace(rows, given=None)
    result = assigned(rows, SplitPlan(time="when"), seed)
    if result is not None:
        train, dev, test = (rows.time[result.splits == split] for split in THREE)
        assert train.max() < dev.min()
        assert dev.max() < test.min()


@given(tables(links=False), st.integers(0, 9))
@few
def test_shares_of_every_class_come_close(rows, seed):
    rows = replace(rows, given=None)
    result = assigned(rows, SplitPlan(), seed)
    for code in np.unique(rows.classes[rows.labelled]) if result is not None else ():
        got = result.splits[rows.labelled & (rows.classes == code)]
        if len(got) >= 3:
            for split, share in zip(THREE, Shares(), strict=True):
                assert abs(np.sum(got == split) - share * len(got)) < 1.5


@given(tables(), st.integers(0, 9))
@few
def test_shares_come_as_close_as_the_largest_group_allows(rows, seed):
    rows = replace(rows, given=None, labelled=np.ones_like(rows.labelled))
    result = assigned(rows, SplitPlan(), seed)
    if result is None:
        return
    largest = np.bincount(rows.units(np.arange(len(rows.labelled)))).max()
    n_classes = len(np.unique(rows.classes))
    for split, share in zip(THREE, Shares(), strict=True):
        assert abs(np.sum(result.splits == split) - share * len(result.splits)) <= 2 * largest + n_classes


def test_a_row_keeps_its_split_for_a_seed_and_another_seed_moves_rows():
    rows = rows_of(200)
    assert assign(rows, SplitPlan(), 1).splits.tolist() == assign(rows, SplitPlan(), 1).splits.tolist()
    assert assign(rows, SplitPlan(), 1).splits.tolist() != assign(rows, SplitPlan(), 2).splits.tolist()


def test_most_rows_keep_their_split_when_rows_join():
    more = rows_of(1050)
    before = assign(rows_of(1000), SplitPlan(), 0).splits
    assert np.mean(assign(more, SplitPlan(), 0).splits[:1000] == before) > 0.9


def test_inputs_are_not_changed():
    rows = rows_of(40, groups=np.arange(40) // 2, duplicates=np.arange(40), time=np.arange(40))
    for array in (rows.digests, rows.labelled, rows.classes, rows.groups, rows.duplicates, rows.time):
        array.flags.writeable = False
    assign(rows, SplitPlan(), 0)
    assign(rows, SplitPlan(time="when"), 0)


def test_class_counts_agree_with_scikit_learn():
    classes = np.random.default_rng(1).choice(5, size=997, p=[0.5, 0.25, 0.15, 0.07, 0.03])
    splits = assign(rows_of(997, classes=classes), SplitPlan(), 0).splits
    _, rest = train_test_split(classes, test_size=0.4, stratify=classes, random_state=0)
    ours = np.bincount(classes[splits != "train"], minlength=5)
    assert np.abs(ours - np.bincount(rest, minlength=5)).max() <= 1


def test_large_and_small_groups_reach_dev_and_test():
    """The split does not go by size: the mean size of a row's group is alike in train and outside it."""
    sizes = np.random.default_rng(2).integers(1, 30, size=2000)
    groups = np.repeat(np.arange(2000), sizes)
    splits = assign(rows_of(len(groups), groups=groups), SplitPlan(), 0).splits
    means = [sizes[groups][splits == split].mean() for split in THREE]
    assert max(means) - min(means) < 1.0


# real cases


def table_of(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{name} is not here")
    return pq.read_table(path)


def real_rows(table, label, split=None):
    labels = np.array([str(value) for value in table[label].to_pylist()])
    names, codes = np.unique(labels, return_inverse=True)
    own = [column for column in table.column_names if column not in ("split", "id")]
    same = np.unique(row_digests(table, own), axis=0, return_inverse=True)[1].reshape(-1)
    return rows_of(
        len(codes),
        classes=codes,
        class_names=names.tolist(),
        given=table[split].to_pylist() if split else None,
        duplicates=same,
    )


def test_adult_train_and_test_without_dev():
    result = assign(real_rows(table_of("adult/adult.parquet"), "income", "split"), SplitPlan(), 0)
    counts = Counter(result.splits.tolist())
    assert counts["test"] == 16_281
    assert abs(counts["dev"] - 32_561 / 4) < 2


def test_roman_numerals_has_a_label_book_and_a_dev_large_enough_to_halve():
    table = table_of("roman_numerals/roman_numerals.parquet")
    result = assign(real_rows(table, "label", "split"), SplitPlan(), 0)
    counts = Counter(result.splits.tolist())
    assert (counts["train"], counts["unused"]) == (2067, 52)
    assert abs(counts["dev"] - counts["test"]) <= 5
    assert counts["dev"] + counts["test"] == 813
    assert result.rare_classes == ()


def test_acs_income_validation_and_test_without_train():
    rows = real_rows(table_of("acs_income/acs_income_sample.parquet"), "PINCP", "split")
    counts = Counter(assign(rows, SplitPlan(), 0).splits.tolist())
    assert counts["test"] == 60_000
    assert abs(counts["train"] - 45_000) < 5


def test_elec2_by_the_order_of_rows():
    rows = real_rows(table_of("elec2/elec2.parquet"), "class")
    splits = assign(rows, SplitPlan(time=ROW_ORDER), 0).splits
    places = [np.flatnonzero(splits == split) for split in THREE]
    assert places[0].max() < places[1].min() < places[1].max() < places[2].min()
    assert abs(len(places[0]) / len(splits) - 0.6) < 0.01


def test_banking77_in_two_files():
    train, test = table_of("banking77/train.parquet"), table_of("banking77/test.parquet")
    named = [
        part.append_column("split", pa.array([name] * len(part))) for name, part in (("train", train), ("test", test))
    ]
    result = assign(real_rows(pa.concat_tables(named), "category", "split"), SplitPlan(), 0)
    counts = Counter(result.splits.tolist())
    assert (counts["test"], counts["train"] + counts["dev"]) == (3080, 10_003)
    assert abs(counts["dev"] - 10_003 / 4) < 40
    assert result.rare_classes == ()
