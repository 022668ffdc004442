"""CSV: delimiters, encodings, ragged rows, headers, quotes."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import SourceError
from tilth.sources.csv import Csv, find_delimiter


def read(folder, content, name="t.csv", **options):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Csv(path=str(path), **options).read()


def test_every_cell_is_text_and_codes_keep_their_zeros(tmp_path):
    table = read(tmp_path, "zip,n,word\n01234,1,a\n00012,,b\n")
    assert table.to_pylist() == [
        {"zip": "01234", "n": "1", "word": "a"},
        {"zip": "00012", "n": None, "word": "b"},
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path, sign):
    table = read(tmp_path, f"a{sign}b\n1{sign}x y\n2{sign}z\n")
    assert table.column_names == ["a", "b"]
    assert table.column("b").to_pylist() == ["x y", "z"]


def test_commas_inside_text_do_not_win_over_the_tab(tmp_path):
    table = read(tmp_path, "label\ttext\nham\tGo, until, jurong\nspam\tWin, now\n", name="t.tsv")
    assert table.column("text").to_pylist() == ["Go, until, jurong", "Win, now"]


def test_decimal_commas_do_not_win_over_the_semicolon():
    assert find_delimiter("a;b;c\n1,5;2,5;3\n2,5;3,5;4\n") == ";"


def test_a_single_column_needs_no_delimiter(tmp_path):
    assert read(tmp_path, "word\none\ntwo\n").column("word").to_pylist() == ["one", "two"]


def test_byte_order_marks(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n").column_names == ["a", "b"]
    assert read(tmp_path, "a,b\n1,ü\n".encode("utf-16")).column("b").to_pylist() == ["ü"]


def test_undecodable_bytes_name_line_byte_and_remedy(tmp_path):
    with pytest.raises(SourceError, match=r"line 3 .*byte 0xfc at position 4.*iconv -f cp1252"):
        read(tmp_path, "a,b\n1,x\n2,Müll\n".encode("latin-1"))
    assert read(tmp_path, "a,b\n1,Müll\n".encode("latin-1"), encoding="latin-1").column("b")[0].as_py() == "Müll"
    with pytest.raises(SourceError, match=r"no encoding is called 'klingon'"):
        read(tmp_path, "a,b\n1,2\n", encoding="klingon")


def test_undecodable_line_after_a_mark_is_counted_from_the_text(tmp_path):
    with pytest.raises(SourceError, match=r"line 2 .*byte 0xff at position 1 "):
        read(tmp_path, b"\xef\xbb\xbfa\n\xff\n")


def test_ragged_rows_name_lines_and_counts(tmp_path):
    text = 'a,b\n1,"two\nlines"\n3\n4,5,6\n7,8\n9\n10\n'
    with pytest.raises(SourceError, match=r"2 cells expected, line 4 has 1, line 5 has 3, line 7 has 1 … \(4 in all\)"):
        read(tmp_path, text)


def test_ragged_everywhere_is_said_too(tmp_path):
    with pytest.raises(SourceError, match=r"3 cells expected, line 2 has 4, line 3 has 4"):
        read(tmp_path, "a,b,c\n0,1,2,3\n1,2,3,4\n")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("a,a", "two columns are called 'a'"),
        ("a,,c", "no name for column 2"),
        ("a,_tilth_id", "belong to tilth"),
    ],
)
def test_bad_headers_are_refused(tmp_path, header, said):
    with pytest.raises(SourceError, match=said):
        read(tmp_path, f"{header}\n" + ",".join("1" * (header.count(",") + 1)) + "\n")


def test_a_written_index_is_called_index_and_names_are_trimmed(tmp_path):
    assert read(tmp_path, ", a\n0,x\n1,y\n").column_names == ["index", "a"]


@pytest.mark.parametrize("content", ["", "  \n \n", "a,b\n"])
def test_nothing_to_read(tmp_path, content):
    with pytest.raises(SourceError, match=r"empty|no rows"):
        read(tmp_path, content)


def test_quotes_hold_delimiters_quotes_and_lines(tmp_path):
    table = read(tmp_path, 'a,b\n"x,\ny","say ""hi"""\n')
    assert table.to_pylist() == [{"a": "x,\ny", "b": 'say "hi"'}]


def test_a_quote_that_is_never_closed_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"the quote that opens in line 3 is never closed.*column 'b'"):
        read(tmp_path, 'a,b\n1,x\n2,"oops\n3,y\n4,z\n')


def test_blank_lines_around_the_header_do_not_cost_a_row(tmp_path):
    assert read(tmp_path, "\na,b\n1,2\n\n3,4\n").column("a").to_pylist() == ["1", "3"]


def test_header_with_a_line_break(tmp_path):
    assert read(tmp_path, '"a\nb",c\n1,2\n').to_pylist() == [{"a\nb": "1", "c": "2"}]


def test_line_ends_of_other_systems(tmp_path):
    assert read(tmp_path, "a,b\r1,2\r").to_pylist() == [{"a": "1", "b": "2"}]
    assert read(tmp_path, "a,b\r\n1,2\r\n").to_pylist() == [{"a": "1", "b": "2"}]


def test_gzip(tmp_path):
    assert read(tmp_path, gzip.compress(b"a;b\n1;2\n"), name="t.csv.gz").to_pylist() == [{"a": "1", "b": "2"}]
    with pytest.raises(SourceError, match=r"cannot be unpacked"):
        read(tmp_path, b"no gzip", name="u.csv.gz")


def test_missing_file_suggests_its_sibling(tmp_path):
    (tmp_path / "reviews.csv").write_text("a\n1\n")
    with pytest.raises(SourceError, match=r"Did you mean 'reviews.csv'"):
        Csv(path=str(tmp_path / "review.csv")).read()
    with pytest.raises(SourceError, match=r"no folder"):
        Csv(path=str(tmp_path / "nowhere" / "review.csv")).read()


def test_a_cell_longer_than_the_readers_limit(tmp_path):
    long = "x" * 200_000
    assert read(tmp_path, f"a,b\n{long},1\n").column("a").to_pylist() == [long]
    with pytest.raises(SourceError, match=r"line 3 has 3"):
        read(tmp_path, f"a,b\n{long},1\n1,2,3\n")


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_what_a_writer_quoted_is_read_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("law")
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
    table = read(folder, "first,second\n" + "".join(",".join(row) + "\n" for row in quoted))
    expected = [{"first": first or None, "second": second or None} for first, second in rows]
    assert table.to_pylist() == expected
