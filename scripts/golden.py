"""Golden vectors for the arithmetic of the explorables, worked out by nnfp.

    python scripts/golden.py > golden.json

Each case names a function of docs/javascripts/explorables/core.js, its arguments and what it
must return. tests/book/test_explorable_arithmetic.py makes them anew and compares.
"""

import json

import numpy as np

import nnfp

RATES = [0.005, 0.25, 0.5, 0.75, 1.0, 1.1]
NETWORKS = [
    ([2, 3, 1], 1, "tanh"), ([2, 3, 1], 1, "relu"), ([2, 3, 1], 1, "sigmoid"), ([2, 3, 1], 1, "silu"),
    ([2, 3, 1], 1, "identity"), ([3, 5, 7, 2], 4, "elu"), ([2, 4, 3], 5, "softplus"), ([1, 6, 1], 3, "leaky_relu"),
]  # fmt: skip


def case(call, args, want, strict=False):
    """One case; strict compares each number by itself, else by the largest of its array."""
    return {"call": call, "args": args, "want": want, "strict": strict}


def listed(layers):
    """A dictionary 1..L (or 0..L) as a list with an empty place for what does not exist."""
    return [layers[l].tolist() if l in layers else None for l in range(max(layers) + 1)]


def activation_cases():
    """Every activation and slope, from the middle to far out on both sides."""
    z = np.r_[np.linspace(-6, 6, 49), -800.0, -40.0, -1e-9, 1e-9, 40.0, 800.0]
    for name, (f, f_prime) in nnfp.ACTIVATIONS.items():
        for value in z:
            for part, function in (("f", f), ("fPrime", f_prime)):
                want = float(function(np.array([[value]]))[0, 0])
                yield case(f"ACTIVATIONS.{name}.{part}", [value], want, strict=True)


def neuron_cases(rng):
    """The weighted sum, and the nearest point of its line."""
    for _ in range(8):
        w, x, beta = rng.normal(size=(2, 1)), rng.normal(size=(2, 1)), rng.normal()
        args = [w.ravel().tolist(), x.ravel().tolist(), beta]
        total = nnfp.neuron(w, x, beta)
        yield case("neuron", args, float(total))
        yield case("foot", args, (x - total / (w.T @ w) * w).ravel().tolist())
        yield case("norm", args[:1], float(np.linalg.norm(w)))


def network_cases(rng):
    """Forward, loss, backward and one step, for several sizes, batches and activations."""
    for sizes, batch, hidden in NETWORKS:
        parameters = nnfp.random_parameters(sizes, rng, weight_scale=0.8)
        for l in parameters.b:
            parameters.b[l][:] = rng.normal(size=parameters.b[l].shape)
        X, Y = rng.normal(size=(sizes[0], batch)), rng.normal(size=(sizes[-1], batch))
        trace = nnfp.forward(parameters, X, hidden=hidden)
        value, gradients = nnfp.loss_and_gradients(parameters, X, Y, hidden=hidden)
        stepped = nnfp.sgd_step(parameters, gradients, 0.1)
        net = {"W": listed(parameters.W), "b": listed(parameters.b)}
        seen = {"Z": listed(trace.Z), "A": listed(trace.A)}
        dY = nnfp.mse_gradient(trace.Y_hat, Y)
        back = {"dW": listed(gradients.dW), "db": listed(gradients.db)}
        x, y, y_hat = X.tolist(), Y.tolist(), trace.Y_hat.tolist()
        yield case("forward", [net, x, hidden], seen)
        yield case("mse", [y_hat, y], float(value))
        yield case("mseGradient", [y_hat, y], dY.tolist())
        arriving = {0: gradients.dX, len(sizes) - 1: dY}
        for l in range(1, len(sizes) - 1):
            arriving[l] = parameters.W[l + 1].T @ gradients.delta[l + 1]
        want = back | {"delta": listed(gradients.delta), "dA": listed(arriving)}
        yield case("backward", [net, seen, dY.tolist(), hidden], want)
        yield case("sgdStep", [net, back, 0.1], {"W": listed(stepped.W), "b": listed(stepped.b)})


def descent_cases(rng):
    """The parabola for each kind of learning rate, and bowls with and without momentum."""
    for x in np.linspace(-2.0, 6.0, 17):
        yield case("quadratic", [x], nnfp.quadratic(float(x)))
        yield case("quadraticPrime", [x], nnfp.quadratic_prime(float(x)))
    for lr in RATES:
        path = nnfp.descend(nnfp.quadratic_prime, 0.3, lr, 20)
        yield case("descend", [{"function": "quadraticPrime"}, 0.3, lr, 20], path)
        yield case("quadraticIterate", [0.3, lr, 20], nnfp.quadratic_iterate(0.3, lr, 20))
    for c_1, c_2, phi in [(1.0, 10.0, np.pi / 6), (0.5, 2.0, 1.0), (3.0, 3.0, 0.2)]:
        p, q = np.array([[np.cos(phi)], [np.sin(phi)]]), np.array([[-np.sin(phi)], [np.cos(phi)]])
        H, v = c_1 * p @ p.T + c_2 * q @ q.T, rng.normal(size=(2, 1))
        limit = nnfp.stability_limit(H)
        yield case("bowlMatrix", [c_1, c_2, phi], H.tolist())
        yield case("bowl", [H.tolist(), v.ravel().tolist()], float(0.5 * (v.T @ H @ v)[0, 0]))
        yield case("stabilityLimit", [c_1, c_2], limit)
        yield case("bestRate", [c_1, c_2], 2 / float(np.trace(H)))
        for lr in (0.3 * limit, 0.9 * limit, 1.05 * limit):
            path = [step.ravel().tolist() for step in nnfp.descend(H.dot, v, lr, 30)]
            yield case("descendBowl", [H.tolist(), v.ravel().tolist(), lr, 0, 30], path)
            yield momentum_case(H, v, lr, 0.7)


def momentum_case(H, v, lr, mu):
    """Momentum is one linear map of place and speed together: its powers give the path."""
    eye = np.eye(2)
    step = np.block([[eye - lr * H, -lr * mu * eye], [H, mu * eye]])
    start = np.vstack([v, np.zeros((2, 1))])
    path = [(np.linalg.matrix_power(step, t) @ start)[:2, 0].tolist() for t in range(31)]
    return case("descendBowl", [H.tolist(), v.ravel().tolist(), lr, mu, 30], path)


def cases():
    """All of them, the same at every call."""
    rng = np.random.default_rng(0)
    makers = [activation_cases(), neuron_cases(rng), network_cases(rng), descent_cases(rng)]
    return [one for maker in makers for one in maker]


if __name__ == "__main__":
    print(json.dumps(cases(), indent=1))
