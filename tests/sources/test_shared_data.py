"""Real tables: the inferred schema is what an expert would write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tilth.core.names import SPLIT
from tilth.core.schema import Role
from tilth.sources import infer_schema, normalise, open_source

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

CASES = {
    # source, label, (task, classes), {column: "type role"} for those that are easily mistaken
    "adult/adult.parquet": ("income", "binary", 2, {"split": "category split", "fnlwgt": "number feature",
        "education_num": "number feature", "native_country": "category feature"}),
    "acs_income/acs_income_sample.parquet": ("PINCP", "binary", 2, {"split": "category split",
        "SEX": "category feature", "RAC1P": "category feature", "AGEP": "number feature", "WKHP": "number feature"}),
    "credit_default/credit_default.parquet": ("default.payment.next.month", "binary", 2, {
        "ID": "category ignore", "LIMIT_BAL": "number feature", "MARRIAGE": "category feature",
        "AGE": "number feature"}),
    "bank_marketing/bank_marketing.parquet": ("y", "binary", 2, {"job": "category feature", "pdays": "number feature",
        "day": "number feature", "month": "category feature", "default": "category feature"}),
    "elec2/elec2.parquet": ("class", "binary", 2, {"period": "number feature", "transfer": "number feature"}),
    "banking77": ("category", "multiclass", 77, {"text": "text feature"}),
    "sms_spam/sms_spam.parquet": ("label", "binary", 2, {"text": "text feature"}),
    "youtube_spam/youtube_spam.parquet": ("CLASS", "binary", 2, {"COMMENT_ID": "category ignore",
        "DATE": "date feature", "CONTENT": "text feature", "VIDEO": "category feature"}),
    "ag_news_test/test.parquet": ("class", "multiclass", 4, {"title": "text feature", "description": "text feature"}),
    "imdb_counterfactual": ("Sentiment", "binary", 2, {"Text": "text feature", "batch_id": "category ignore"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_schema(name):
    if not (DATA / name).exists():
        pytest.skip("the shared data is not here")
    label, task, n_classes, expected = CASES[name]
    raw = open_source(DATA / name)
    found = infer_schema(raw.table, label=label)
    assert (str(found.schema.task.type), found.schema.task.n_classes) == (task, n_classes)
    seen = {column.name: f"{column.type} {column.role}" for column in found.schema.columns}
    assert {column: seen[column] for column in expected} == expected
    typed, _ = normalise(raw.table, found.schema)
    assert typed.num_rows == raw.facts["rows"]
    assert typed.column(label).null_count == 0


@pytest.mark.parametrize("name", ["banking77", "imdb_counterfactual"])
def test_splits_by_file(name):
    if not (DATA / name).exists():
        pytest.skip("the shared data is not here")
    splits = open_source(DATA / name).table.column(SPLIT).unique().to_pylist()
    assert splits[0] == "train"
    assert "test" in splits


def test_images_and_their_split():
    path = DATA / "roman_numerals" / "roman_numerals.parquet"
    if not path.exists():
        pytest.skip("the shared data is not here")
    raw = open_source(path)
    schema = infer_schema(raw.table, label="label").schema
    assert [str(column.type) for column in schema.features] == ["image"]
    assert schema.first(Role.SPLIT) == "split"
    assert raw.facts["broken_images"] == []
