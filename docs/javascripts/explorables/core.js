// The arithmetic of the explorables, without a page. Each function repeats one of the package
// nnfp and is compared with it by tests/book/test_explorable_arithmetic.py.
// A matrix is an array of rows; a column of n numbers is n rows of one. W[l], b[l], Z[l] have the
// number of the text: W[0] does not exist.

// --- activations: docs/activations.md ---

export const expMinusAbs = (z) => Math.exp(z > 0 ? -z : z);

const sigmoid = (z) => (z > 0 ? 1 : expMinusAbs(z)) / (1 + expMinusAbs(z));
const sigmoidPrime = (z) => expMinusAbs(z) / (1 + expMinusAbs(z)) ** 2;

function tanhPrime(z) {
  const e = expMinusAbs(z);
  const sech = (2 * e) / (1 + e * e);
  return sech * sech;
}

export const ACTIVATIONS = {
  identity: { f: (z) => z, fPrime: () => 1 },
  sigmoid: { f: sigmoid, fPrime: sigmoidPrime },
  tanh: { f: Math.tanh, fPrime: tanhPrime },
  relu: { f: (z) => (z <= 0 ? 0 : z), fPrime: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { f: (z) => (z > 0 ? z : 0.01 * z), fPrime: (z) => (z > 0 ? 1 : 0.01) },
  elu: { f: (z) => (z > 0 ? z : Math.expm1(z)), fPrime: (z) => Math.exp(z > 0 ? 0 : z) },
  softplus: { f: (z) => (z <= 0 ? 0 : z) + Math.log1p(expMinusAbs(z)), fPrime: sigmoid },
  silu: { f: (z) => z * sigmoid(z), fPrime: (z) => sigmoid(z) + z * sigmoidPrime(z) },
};

// --- one neuron with two inputs: docs/neuron.md ---

export function neuron(w, x, beta) {
  let s = 0;
  for (let j = 0; j < w.length; j += 1) s += w[j] * x[j];
  return s + beta;
}

export const norm = (v) => Math.hypot(...v);

// The point of the line s = 0 that is nearest to x. Not defined for w = 0.
export function foot(w, x, beta) {
  const step = neuron(w, x, beta) / neuron(w, w, 0);
  return x.map((value, j) => value - step * w[j]);
}

// --- layers: docs/forward_pass.md, docs/backpropagation.md ---

export function product(A, B) {
  const columns = B[0].length;
  return A.map((row) => {
    const sums = new Array(columns).fill(0);
    row.forEach((a, j) => {
      const other = B[j];
      for (let k = 0; k < columns; k += 1) sums[k] += a * other[k];
    });
    return sums;
  });
}

export const transpose = (A) => A[0].map((_, j) => A.map((row) => row[j]));

const map = (A, f) => A.map((row, i) => row.map((a, j) => f(a, i, j)));

export const affine = (W, X, b) => map(product(W, X), (z, i) => z + b[i][0]);

export function forward({ W, b }, X, hidden = "relu", output = "identity") {
  const Z = [];
  const A = [X];
  for (let l = 1; l < W.length; l += 1) {
    Z[l] = affine(W[l], A[l - 1], b[l]);
    A[l] = map(Z[l], ACTIVATIONS[l === W.length - 1 ? output : hidden].f);
  }
  return { Z, A };
}

export function mse(Yhat, Y) {
  let sum = 0;
  map(Yhat, (y, i, k) => (sum += (y - Y[i][k]) ** 2));
  return sum / (Y.length * Y[0].length);
}

export const mseGradient = (Yhat, Y) =>
  map(Yhat, (y, i, k) => (2 / (Y.length * Y[0].length)) * (y - Y[i][k]));

// dA[l] is what arrives at layer l from above, before the slope of its activation.
export function backward({ W }, { Z, A }, dYhat, hidden = "relu", output = "identity") {
  const L = W.length - 1;
  const [delta, dW, db, dA] = [[], [], [], []];
  dA[L] = dYhat;
  for (let l = L; l >= 1; l -= 1) {
    const { fPrime } = ACTIVATIONS[l === L ? output : hidden];
    delta[l] = map(dA[l], (value, i, k) => value * fPrime(Z[l][i][k]));
    dW[l] = product(delta[l], transpose(A[l - 1]));
    db[l] = delta[l].map((row) => [row.reduce((sum, d) => sum + d, 0)]);
    dA[l - 1] = product(transpose(W[l]), delta[l]);
  }
  return { dW, db, delta, dA };
}

// The length of a gradient, all its entries taken as one column.
export const size = (A) => Math.sqrt(A.reduce((sum, row) => sum + neuron(row, row, 0), 0));

export function sgdStep({ W, b }, { dW, db }, lr) {
  const move = (P, dP) => P.map((M, l) => M && map(M, (p, i, j) => p - lr * dP[l][i][j]));
  return { W: move(W, dW), b: move(b, db) };
}

// --- gradient descent: docs/descent.md ---

export const quadratic = (x) => x ** 2 - 4 * x + 5;
export const quadraticPrime = (x) => 2 * x - 4;
export const quadraticIterate = (x0, lr, t) => 2 + (1 - 2 * lr) ** t * (x0 - 2);

export function descend(gradient, x0, lr, steps) {
  const path = [x0];
  for (let t = 0; t < steps; t += 1) path.push(path[t] - lr * gradient(path[t]));
  return path;
}

// The turned bowl with curvatures c1 and c2: its matrix H, half of v'Hv, the limit 2/max(c1, c2).
export function bowlMatrix(c1, c2, phi) {
  const [cos, sin] = [Math.cos(phi), Math.sin(phi)];
  const mixed = (c1 - c2) * cos * sin;
  return [[c1 * cos * cos + c2 * sin * sin, mixed], [mixed, c1 * sin * sin + c2 * cos * cos]];
}

export const bowlGradient = (H, v) => H.map((row) => row[0] * v[0] + row[1] * v[1]);
export const bowl = (H, v) => neuron(v, bowlGradient(H, v), 0) / 2;
export const stabilityLimit = (...curvatures) => 2 / Math.max(...curvatures);
export const bestRate = (c1, c2) => 2 / (c1 + c2);

// Momentum (docs/optimisers.md) on the bowl: q <- beta q + gradient, v <- v - lr q. With beta = 0 it
// is plain descent.
export function descendBowl(H, v0, lr, beta, steps) {
  const path = [v0];
  let q = [0, 0];
  for (let t = 0; t < steps; t += 1) {
    const v = path[t];
    const slope = bowlGradient(H, v);
    q = q.map((value, i) => beta * value + slope[i]);
    path.push(v.map((value, i) => value - lr * q[i]));
  }
  return path;
}

// Polyak's choice for momentum in a bowl.
export function polyak(c1, c2) {
  const [a, b] = [Math.sqrt(c1), Math.sqrt(c2)];
  return { lr: 4 / (a + b) ** 2, beta: ((a - b) / (a + b)) ** 2 };
}

// The learning rate at which descent with curvature c stops approaching: found by trying.
export function measuredLimit(c, high, steps = 60) {
  const grown = (lr) => {
    const path = descend((x) => c * x, 1, lr, steps);
    return Math.abs(path[steps]) > Math.abs(path[steps - 1]);
  };
  let low = 0;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (grown(middle)) high = middle;
    else low = middle;
  }
  return low;
}

// --- a distribution that passes through an activation ---

// Cuts a normal distribution into cells; returns their borders and the share of each.
export function normalCells(mean, sd, cells = 2000) {
  const borders = Array.from({ length: cells + 1 }, (_, i) => mean + sd * (-5 + (10 * i) / cells));
  const shares = Array.from({ length: cells }, (_, i) =>
    Math.exp(-((-5 + (10 * (i + 0.5)) / cells) ** 2) / 2),
  );
  const total = shares.reduce((sum, share) => sum + share, 0);
  return { borders, shares: shares.map((share) => share / total) };
}

// How much of the distribution f sends into each of `bins` equal bins from low to high. What falls
// outside is in none. A cell is spread evenly between the images of its borders.
export function passThrough(f, { borders, shares }, low, high, bins) {
  const mass = new Array(bins).fill(0);
  const place = (y) => ((y - low) / (high - low)) * bins;
  const at = borders.map((z) => place(f(z)));
  shares.forEach((share, i) => {
    const [from, to] = at[i] < at[i + 1] ? [at[i], at[i + 1]] : [at[i + 1], at[i]];
    if (to - from < 1e-9) {
      const bin = from === bins ? bins - 1 : Math.floor(from); // the upper end belongs to the last bin
      if (bin >= 0 && bin < bins) mass[bin] += share;
      return;
    }
    for (let bin = Math.max(Math.floor(from), 0); bin < to && bin < bins; bin += 1) {
      mass[bin] += (share * (Math.min(to, bin + 1) - Math.max(from, bin))) / (to - from);
    }
  });
  return mass;
}

// Mean of f over the distribution.
export const meanOf = (f, { borders, shares }) =>
  shares.reduce((sum, share, i) => sum + share * f((borders[i] + borders[i + 1]) / 2), 0);
