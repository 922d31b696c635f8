"""The graph as a picture, a page, a listing."""

from autograd.visualize.drawing import Drawing, draw
from autograd.visualize.recording import record_statistics
from autograd.visualize.render import DrawError
from autograd.visualize.style import Thresholds

__all__ = ["DrawError", "Drawing", "Thresholds", "draw", "record_statistics"]
