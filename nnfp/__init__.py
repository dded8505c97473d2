"""nnfp: a neural network from first principles, in NumPy.

Each module is one idea and has one chapter of the book with the same name. Every public name can
be imported from here: `from nnfp import MLPRegressor, forward, backward`.
"""

from nnfp.activations import *  # noqa: F403
from nnfp.backpropagation import *  # noqa: F403
from nnfp.calculus import *  # noqa: F403
from nnfp.classification import *  # noqa: F403
from nnfp.data import *  # noqa: F403
from nnfp.descent import *  # noqa: F403
from nnfp.fast import *  # noqa: F403
from nnfp.forward_pass import *  # noqa: F403
from nnfp.gradient_check import *  # noqa: F403
from nnfp.layer import *  # noqa: F403
from nnfp.losses import *  # noqa: F403
from nnfp.network import *  # noqa: F403
from nnfp.neuron import *  # noqa: F403
from nnfp.notation import *  # noqa: F403
from nnfp.optimisers import *  # noqa: F403
from nnfp.training import *  # noqa: F403
