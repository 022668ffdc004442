"""The registry: the folder is the list, listing imports nothing, third parties come by entry points."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.metadata import EntryPoint

import pytest

from tilth.core.errors import UnknownOperatorError
from tilth.operators import registry
from tilth.operators.registry import ROOM_VERBS, class_name, listings, make, names, operator_class, rooms, spec_of

HEAVY = ("numpy", "pyarrow", "scipy", "sklearn", "lance", "pandas", "polars", "torch", "PIL")
FOREIGN = '''
"""Rows that stand far out.

    severity_i = 1

Source: Nobody (2020), Nowhere.
"""
from dataclasses import dataclass
from typing import ClassVar

raise_on_import = {}["imported"]


@dataclass(frozen=True, kw_only=True)
class FarOut:
    """Flag what stands far out.

    And say so.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    scope: ClassVar[str] = "train"
    revision: ClassVar[int] = 1
    share: float = 0.05
    name: str = "far, out"

    def find(self, view):
        """Return nothing."""
        return []
'''


@pytest.fixture
def foreign(tmp_path, monkeypatch) -> Iterator[Callable[[str, str], None]]:
    """Put a module on the path and announce a class of it as an operator."""

    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "_third_party", lambda: tuple(points))
    monkeypatch.syspath_prepend(tmp_path)

    def announce(name: str, source: str, at: str = "") -> None:
        module = f"planted_{tmp_path.name.replace('-', '_')}_{len(points)}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        points.append(EntryPoint(name=name, value=f"{at or module}:Any", group=registry.GROUP))
        registry._room_listings.cache_clear()

    yield announce
    registry._room_listings.cache_clear()


def loaded_after(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter holds after running some code."""
    ask = f"import sys\n{textwrap.dedent(code)}\nprint('loaded', *[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    loaded, *modules = done.stdout.splitlines()[-1].split()
    assert loaded == "loaded"
    return set(modules)


@pytest.mark.parametrize(
    "code",
    [
        "import tilth; dir(tilth)",
        "from tilth.operators.registry import listings; listings()",
        """
        from tilth.cli import main
        sys.argv = ["tilth", "--help"]
        try:
            main()
        except SystemExit:
            pass
        """,
        """
        from tilth.cli import main
        sys.argv = ["tilth", "operators", "--json"]
        try:
            main()
        except SystemExit:
            pass
        """,
    ],
    ids=["import", "listing", "help", "operators"],
)
def test_the_light_things_import_nothing_heavy(code):
    assert loaded_after(code) == set()


def test_the_probe_sees_what_is_heavy():
    assert loaded_after("import tilth; tilth.View") >= {"numpy", "pyarrow"}


def test_the_folder_is_the_list():
    for room in rooms():
        files = {p.stem for p in (registry.PACKAGE / room).glob("*.py") if not p.name.startswith("_")}
        assert set(names(room)) == files, "every file without an underscore is an operator"
        assert names(room) == tuple(sorted(names(room)))


def test_listings_agree_with_the_classes():
    for listing in listings():
        kind = operator_class(listing.room, listing.name)
        assert listing.verb in ROOM_VERBS[listing.room]
        assert [verb for verb in ROOM_VERBS[listing.room] if hasattr(kind, verb)] == [listing.verb]
        assert set(listing.parameters) == {f.name for f in fields(kind)}, listing.name
        assert listing.summary == (kind.__doc__ or "").strip().split("\n")[0]
        assert listing.source, listing.name
        assert listing.to_dict().keys() == {"room", "name", "verb", "summary", "source", "parameters", "revision"}
        assert listing.revision == getattr(kind, "revision", 1), (
            "a rerun after its numbers changed would show old figures"
        )
    assert json.loads(json.dumps([listing.to_dict() for listing in listings()]))


def test_names_become_classes():
    assert class_name("low_self_confidence") == "LowSelfConfidence"
    assert class_name("mae") == "Mae"


def test_operators_are_made_by_name_with_parameters():
    made = make("editing", "relabel_hard", certainty=0.7)
    assert (type(made).__name__, made.certainty) == ("RelabelHard", 0.7)
    spec = spec_of(made)
    assert (spec.room, spec.name, spec.parameters) == ("editing", "relabel_hard", {"certainty": 0.7})
    assert spec.revision == type(made).revision


def test_lists_of_a_config_become_tuples_again():
    made = make("encoding", "onnx_image", mean=[1.0, 2.0, 3.0])
    assert made.mean == (1.0, 2.0, 3.0)
    assert spec_of(made).parameters["mean"] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("room", ["detection", "weather"])
def test_an_unknown_operator_is_refused_with_a_suggestion(room):
    with pytest.raises(UnknownOperatorError) as caught:
        make(room, "label_erorr")
    assert ("Did you mean 'label_error'?" in str(caught.value)) == (room == "detection")
    assert "tilth operators" in caught.value.next_step


def test_third_parties_are_listed_without_being_imported(foreign):
    foreign("detection.far_out", FOREIGN)
    (found,) = [listing for listing in listings("detection") if listing.name == "far_out"]
    assert found.parameters == {"share": "float = 0.05", "name": "str = 'far, out'"}
    assert (found.summary, found.source) == ("Flag what stands far out.", "Nobody (2020), Nowhere.")
    assert "far_out" not in names("editing")


def test_third_parties_are_made_and_named_like_ours(foreign):
    foreign("detection.far_out", FOREIGN.replace('raise_on_import = {}["imported"]', ""))
    made = make("detection", "far_out", share=0.5)
    spec = spec_of(made)
    assert (spec.room, spec.name, spec.parameters) == ("detection", "far_out", {"share": 0.5, "name": "far, out"})


def test_two_third_parties_of_one_file_keep_their_names(foreign):
    both = FOREIGN.replace('raise_on_import = {}["imported"]', "")
    both += both[both.index("@dataclass") :].replace("FarOut", "FarIn")
    foreign("detection.far_out", both)
    module = registry._third_party()[0].module
    foreign("detection.far_in", "", at=module)
    assert spec_of(make("detection", "far_in")).name == "far_in"
    assert spec_of(make("detection", "far_out")).name == "far_out"


def test_ours_cannot_be_replaced_and_what_is_gone_is_not_listed(foreign):
    foreign("detection.label_error", FOREIGN.replace("FarOut", "LabelError"))
    foreign("detection.far_away", FOREIGN, at="no_such_package.no_such_module")
    foreign("weather.far_out", FOREIGN)
    (ours,) = [listing for listing in listings("detection") if listing.name == "label_error"]
    assert ours.module == "tilth.detection.label_error"
    assert "far_away" not in names("detection")
    assert "weather" not in rooms()
