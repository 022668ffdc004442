"""Sound: levels by hand, a tone keeps its pitch when it is stretched, a click stands where it should."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics.sound_changes import amplified, noisy, shifted, stretched

RATE = 8_000


def tone(hertz, seconds=1.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)


def pitch(sound):
    return np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * RATE / len(sound)


def test_levels():
    sound = tone(440)[None]
    assert np.abs(amplified(sound, np.array([-6.0206]))).max() == pytest.approx(0.25, abs=1e-3)
    assert np.abs(amplified(sound, np.array([40.0]))).max() == 1, "clipped"
    assert np.abs(amplified(sound * 1000, np.array([20.0]))).max() == pytest.approx(5000, rel=1e-3), (
        "whole samples are not"
    )
    noise = np.random.default_rng(0).normal(size=sound.shape)
    gap = noisy(sound, noise, np.array([20.0])) - sound
    assert 20 * np.log10(sound.std() / gap.std()) == pytest.approx(20, abs=0.3)
    assert not noisy(np.zeros((1, 5)), np.ones((1, 5)), np.array([10.0])).any(), "silence stays"


@pytest.mark.parametrize("rate", [0.75, 0.9, 1.1, 1.4])
def test_a_tone_keeps_its_pitch_and_takes_another_time(rate):
    sound = np.concatenate([tone(440, 0.5), np.zeros(RATE // 2)])
    after = stretched(sound[None], np.array([rate]))[0]
    assert len(after) == RATE
    heard = np.flatnonzero(np.abs(after) > 0.1)
    assert heard[-1] == pytest.approx(RATE / 2 / rate, abs=0.03 * RATE)
    inside = after[400 : int(RATE / 2 / rate) - 400]
    assert pitch(inside) == pytest.approx(440, abs=RATE / len(inside))
    assert np.abs(inside).max() == pytest.approx(0.5, abs=0.1)


def test_the_rate_one_and_short_sounds():
    sound = tone(440, 0.1)[None]
    assert np.array_equal(stretched(sound, np.array([1.0])), sound)
    assert stretched(np.array([[0.0, 2.0, 4.0, 2.0]]), np.array([0.5]))[0].tolist() == [0, 1, 2, 3]
    assert np.isfinite(stretched(np.zeros((2, 300)), np.array([0.5, 2.0]))).all()


def test_shifts():
    assert shifted(np.array([[1.0, 2.0, 3.0]] * 3), np.array([0, 2, -5])).tolist() == [[1, 2, 3], [0, 0, 1], [0, 0, 0]]
