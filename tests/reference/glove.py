"""GloVe as its paper writes it, in float64."""

import numpy as np


def entry_loss(w, c, b, d, x, x_max, alpha):
    """Pennington et al. (2014), equations 8 and 9, for one entry."""
    return min((x / x_max) ** alpha, 1.0) * (w @ c + b + d - np.log(x)) ** 2


def adagrad_step(parameter, squares, gradient, rate):
    """The step of the program published with it, for the gradient of half the loss."""
    step = rate * gradient
    return parameter - step / np.sqrt(squares), squares + step**2
