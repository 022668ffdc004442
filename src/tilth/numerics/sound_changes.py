"""Changes of sound: samples scaled, noise added by its level, shifted in time, stretched without another pitch.

Rows are sounds of one length, (n, t) samples. A sound that lies in [−1, 1], as floating-point audio does, stays there.

Source: Ko, Peddinti, Povey, Khudanpur (2015), Audio Augmentation for Speech Recognition, Interspeech (speed); Salamon, Bello (2017),
Deep Convolutional Neural Networks and Data Augmentation for Environmental Sound Classification, IEEE Signal Processing Letters 24
(stretching, noise); Flanagan, Golden (1966), Phase Vocoder, Bell System Technical Journal 45.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = ["amplified", "noisy", "shifted", "stretched"]

_SHORTEST = 256
"""Samples below which a sound is too short for a spectrum: it is resampled, and its pitch moves with it."""
_WINDOW = 1_024
_OVERLAP = 4
_WINDOWS = 8
"""In a sound at least: what is shorter than a window is smeared over it."""


def amplified(sounds: Matrix, decibels: Vector) -> Matrix:
    """Return sounds made louder or softer; what lies in [−1, 1] is clipped there.

    Parameters
    ----------
    sounds : (n, t) samples
    decibels : (n,) above 0 louder

    Returns
    -------
    Matrix
        (n, t)

    Examples
    --------
    >>> amplified(np.array([[0.5, -0.1]]), np.array([20.0])).tolist()
    [[1.0, -1.0]]
    """
    return _inside(sounds * np.power(10.0, decibels / 20)[:, None], sounds)


def noisy(sounds: Matrix, noise: Matrix, ratios: Vector) -> Matrix:
    """Return sounds with noise added at a ratio of signal to noise; silence stays silent.

    Parameters
    ----------
    sounds : (n, t) samples
    noise : (n, t) standard normal numbers
    ratios : (n,) signal to noise in decibels

    Returns
    -------
    Matrix
        (n, t)

    Examples
    --------
    >>> noisy(np.array([[0.3, -0.3]]), np.array([[1.0, 1.0]]), np.array([20.0])).round(2).tolist()
    [[0.33, -0.27]]
    """
    level = np.sqrt(np.square(sounds).mean(axis=1)) * np.power(10.0, -ratios / 20)
    return _inside(sounds + level[:, None] * noise, sounds)


def shifted(sounds: Matrix, steps: IntVector) -> Matrix:
    """Return sounds moved in time, with silence where nothing is left.

    Parameters
    ----------
    sounds : (n, t) samples
    steps : (n,) samples, above 0 later

    Returns
    -------
    Matrix
        (n, t)

    Examples
    --------
    >>> shifted(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]), np.array([1, -2])).tolist()
    [[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]]
    """
    width = sounds.shape[1]
    at = np.arange(width) - steps[:, None]
    taken = np.take_along_axis(sounds, np.clip(at, 0, width - 1), axis=1)
    return np.where((at >= 0) & (at < width), taken, 0.0)


def stretched(sounds: Matrix, rates: Vector) -> Matrix:
    """Return sounds played faster or slower at the same pitch, cut or filled with silence at the end to their length.

    A phase vocoder: spectra of overlapping windows are read at another pace, and their phases are carried on. Sounds of fewer than 256
    samples are resampled instead. O(n t log window).

    Parameters
    ----------
    sounds : (n, t) samples
    rates : (n,) above 0; 2 is twice as fast

    Returns
    -------
    Matrix
        (n, t)

    Examples
    --------
    >>> stretched(np.array([[0.0, 0.5, 1.0, 0.5]]), np.array([2.0])).tolist()
    [[0.0, 1.0, 0.0, 0.0]]
    """
    width = sounds.shape[1]
    made = np.zeros_like(sounds, dtype=np.float64)
    for row, (sound, rate) in enumerate(zip(sounds, rates, strict=True)):
        if rate == 1.0:
            made[row] = sound
            continue
        new = _resampled(sound, rate) if width < _SHORTEST else _vocoded(sound, float(rate))
        made[row, : min(width, len(new))] = new[:width]
    return _inside(made, sounds)


def _resampled(sound: Vector, rate: float) -> Vector:
    at = np.arange(0, len(sound) - 1 + 1e-9, rate)
    return np.asarray(np.interp(at, np.arange(len(sound)), sound))


def _vocoded(sound: Vector, rate: float) -> Vector:
    window = min(_WINDOW, 2 ** int(np.log2(len(sound) / _WINDOWS)))
    hop = window // _OVERLAP
    shape = np.hanning(window + 1)[:-1]
    padded = np.pad(sound, (window // 2, window + hop))
    n_frames = 1 + (len(padded) - window) // hop
    frames = np.stack([padded[i * hop : i * hop + window] * shape for i in range(n_frames)])
    spectra = _paced(np.fft.rfft(frames, axis=1), rate, hop, window)
    made, weight = np.zeros((len(spectra) - 1) * hop + window), np.zeros((len(spectra) - 1) * hop + window)
    for i, part in enumerate(np.fft.irfft(spectra, window, axis=1)):
        made[i * hop : i * hop + window] += part * shape
        weight[i * hop : i * hop + window] += np.square(shape)
    length = round(len(sound) / rate)
    return np.asarray((made / np.maximum(weight, 1e-3))[window // 2 : window // 2 + length])


def _paced(spectra: np.ndarray, rate: float, hop: int, window: int) -> np.ndarray:
    """Return spectra read at another pace: lengths interpolated, phases advanced by what they advance between two frames."""
    at = np.arange(0, len(spectra) - 1, rate)
    low = at.astype(np.intp)
    share = (at - low)[:, None]
    sizes = (1 - share) * np.abs(spectra[low]) + share * np.abs(spectra[low + 1])
    usual = 2 * np.pi * hop * np.arange(spectra.shape[1]) / window
    gap = np.angle(spectra[low + 1]) - np.angle(spectra[low]) - usual
    steps = usual + gap - 2 * np.pi * np.round(gap / (2 * np.pi))
    phases = np.angle(spectra[0]) + np.vstack([np.zeros(spectra.shape[1]), np.cumsum(steps, axis=0)[:-1]])
    return np.asarray(sizes * np.exp(1j * phases))


def _inside(after: Matrix, before: Matrix) -> Matrix:
    """Return sounds that lie in [−1, 1] where they did before."""
    is_audio = (np.abs(before).max(axis=1, initial=0.0) <= 1.0)[:, None]
    return np.where(is_audio, np.clip(after, -1.0, 1.0), after)
