"""Policies: what can be drawn, as text and back, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import ConfigError
from tilth.core.policy import AS_IT_IS, Change, Policy, Sequence, Step

names = st.sampled_from(["rotate", "flip", "typo", "own_one"])
severities = st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5)).map(lambda pair: (min(pair), max(pair)))
changes = st.builds(Change, names, severities)
steps = st.builds(Step, st.lists(changes, min_size=1, max_size=4).map(tuple), st.sampled_from([0.25, 0.5, 1.0]))
sequences = st.builds(Sequence, st.lists(steps, max_size=3).map(tuple), st.sampled_from([0.5, 1.0, 7.0]))
policies = st.builds(
    Policy,
    sequences=st.lists(sequences, min_size=1, max_size=3).map(tuple),
    copies=st.integers(1, 20),
    mix=st.sampled_from(["none", "mixup", "cutmix"]),
    salt=st.integers(0, 2**31),
)


@given(policies)
def test_a_policy_is_read_as_it_was_written(policy: Policy) -> None:
    assert Policy.from_text(policy.to_text()) == policy
    assert Policy.from_plain(policy.to_plain()) == policy
    assert "\n" not in policy.to_text()


@given(changes)
def test_a_change_is_read_as_it_was_written(change: Change) -> None:
    assert Change.read(str(change)) == change


@pytest.mark.parametrize(
    "text", ["rotate 0", "rotate 6", "rotate 3-1", "rotate strong", "", "two words 3", "rotate 1.5"]
)
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="rotate 1-3"):
        Change.read(text)


def test_trivial_augment_draws_one_change_or_none() -> None:
    policy = Policy.trivial([Change.read("rotate 1-3"), Change.read("flip")])
    (sequence,) = policy.sequences
    (step,) = sequence.steps
    assert step.changes == (Change(AS_IT_IS), Change("rotate", (1, 3)), Change("flip"))
    assert policy.transforms == ("flip", "rotate")


def test_rand_augment_makes_steps_at_one_severity() -> None:
    policy = Policy.rand([Change.read("rotate 1-3"), Change.read("flip")], 2, 4)
    (sequence,) = policy.sequences
    assert len(sequence.steps) == 2
    assert sequence.steps[0].changes == (Change(AS_IT_IS), Change("rotate", (4, 4)), Change("flip"))


def test_what_is_as_usual_is_not_written() -> None:
    assert Policy.identity().to_text() == '{"sequences":[{"steps":[]}]}'
    assert Policy.identity().transforms == ()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (None, "list of sequences"),
        ({"sequences": []}, "no sequence"),
        ({"sequences": ["flip"]}, "sequence 1"),
        ({"sequences": [{"steps": [{"chance": 0.5}]}]}, "any"),
        ({"sequences": [{"steps": [{"any": []}]}]}, "no change"),
        ({"sequences": [{"steps": ["flip"], "weight": 0}]}, "weight"),
        ({"sequences": [{"steps": [{"any": ["flip"], "chance": 2}]}]}, "chance"),
        ({"sequences": [{"steps": ["flip"], "weight": "much"}]}, "weight"),
        ({"sequences": [{"steps": ["flip"]}], "mix": "all"}, "mixup"),
        ({"sequences": [{"steps": ["flip"]}], "copies": 0}, "copies"),
        ({"sequences": [{"steps": ["flip"]}], "colour": 1}, "colour"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_place(values: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Policy.from_plain(values)


def test_text_that_is_no_policy_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no policy"):
        Policy.from_text("flip")
