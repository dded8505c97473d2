"""Figures of docs/notation.md."""

import numpy as np
from matplotlib.patches import Rectangle

from nnfp.book.figures import figure

X = np.array([[5.0, 6.1, 4.9, 5.5, 5.8], [3.0, 2.8, 3.6, 2.4, 2.7], [1.6, 4.0, 1.4, 3.8, 4.1]])


def table(ax, A, corner, style, chosen_row=None, chosen_column=None):
    """A matrix as a grid of numbers, its top left corner given, one row or column filled."""
    left, top = corner
    for (i, j), value in np.ndenumerate(A):
        chosen = i == chosen_row or j == chosen_column
        face = style.blue if chosen else "none"
        place = (left + j, top - 1 - i)
        ax.add_patch(Rectangle(place, 1, 1, facecolor=face, edgecolor=style.muted))
        colour = style.background if chosen else style.foreground
        ax.text(place[0] + 0.5, place[1] + 0.5, f"{value}", ha="center", va="center", color=colour)


@figure(width=6.4, height=3.4)
def columns_are_samples(fig, style):
    """The same data as columns, our way, and as rows, the way of most libraries."""
    ax = fig.subplots()
    features, samples = X.shape
    for A, left, title, down, across, chosen in (
        (X, 0, "X, as in this book", "features", "samples", {"chosen_column": 1}),
        (X.T, 7.6, "X.T, as in most libraries", "samples", "features", {"chosen_row": 1}),
    ):
        table(ax, A, (left, samples), style, **chosen)
        rows, columns = A.shape
        ax.text(left + columns / 2, samples + 0.35, title, ha="center", weight="bold")
        ax.text(left + columns / 2, samples - rows - 0.2, across, ha="center", va="top")
        ax.text(left - 0.2, samples - rows / 2, down, ha="right", va="center", rotation=90)
    ax.set_xlim(-0.8, 11.6)
    ax.set_ylim(-0.8, samples + 0.9)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return {"features": features, "samples": samples}
