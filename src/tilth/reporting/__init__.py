"""Show: a run as one screen, one HTML file or a notebook cell, from core values only; nothing is read or written."""
