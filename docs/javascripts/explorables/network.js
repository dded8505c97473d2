// Forward and backward through a 2-3-1 network, one equation at a time, every number in its place.
import { ACTIVATIONS, backward, forward, mse, mseGradient, sgdStep } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, math, s, scrub, select, set, spoken } from "./ui.js";

const START = {
  W: [null, [[0.8, -0.4], [-0.5, 1.1], [1.2, 0.6]], [[0.9, -0.7, 0.5]]],
  b: [null, [[0.1], [0.2], [-0.3]], [[0.1]]],
  X: [[1.0], [0.5]],
  Y: [[-0.5]],
  lr: 0.1,
};
const NAMES = { tanh: "tanh", relu: "ReLU", sigmoid: "sigmoid", silu: "SiLU", identity: "none" };
const SIZES = [2, 3, 1];
const MOST = 100;
const DIVERGED = `Diverged: a weight would pass ${MOST}. Lower the rate or reset.`;

// The steps in order. What a step has computed is shown from then on.
const STEPS = [
  { key: "x", title: "The inputs are given." },
  { key: "z1", title: "Layer 1 sums up.", row: "z1", edges: 1 },
  { key: "a1", title: "Each sum passes the activation.", row: "a1", nodes: 1 },
  { key: "z2", title: "Layer 2 sums up. Its output is the prediction.", row: "z2", edges: 2 },
  { key: "L", title: "The loss compares it with the target.", row: "L", nodes: 2 },
  { key: "d2", title: "Backward: how the loss changes with the prediction.", row: "d2", nodes: 2 },
  { key: "g2", title: "Error times what came in: the gradients of layer 2.", row: "g2", edges: 2 },
  { key: "s1", title: "The error goes back along the weights.", row: "d1", part: 1, edges: 2 },
  { key: "d1", title: "… and through the slope of the activation.", row: "d1", part: 2, nodes: 1 },
  { key: "g1", title: "Error times what came in: the gradients of layer 1.", row: "g1", edges: 1 },
];
const INDEX = Object.fromEntries(STEPS.map((step, i) => [step.key, i]));
const FIRST_BACK = INDEX.d2;
const ROWS = [
  ["z1", "z^{[1]} = W^{[1]} x + b^{[1]}"],
  ["a1", "a^{[1]} = f(z^{[1]})"],
  ["z2", "\\hat{y} = W^{[2]} a^{[1]} + b^{[2]}"],
  ["L", "\\L = (\\hat{y} - y)^2"],
  ["d2", "\\delta^{[2]} = 2 (\\hat{y} - y)"],
  ["g2", "\\nabla_{W^{[2]}} \\L = \\delta^{[2]} a^{[1]\\top}"],
  ["d1", "\\delta^{[1]} =", "W^{[2]\\top} \\delta^{[2]}", "\\odot f'(z^{[1]})"],
  ["g1", "\\nabla_{W^{[1]}} \\L = \\delta^{[1]} x^{\\top}"],
];
const par = (value, digits) => (value < 0 ? `(${fmt(value, digits)})` : fmt(value, digits));
// Large numbers with fewer digits, so that neighbours in a box stay apart.
const fitting = (value, digits) => clamp(digits + 1 - Math.trunc(Math.abs(value)).toString().length, 0, digits);
const ink = (hue, text) => h("b", { class: `x-ink-${hue}` }, text);

class Network extends Explorable {
  build() {
    this.model = structuredClone(START);
    this.f = this.getAttribute("f") ?? "tanh";
    this.at = INDEX.L;
    this.losses = [];
    this.note = "";
    this.pills = [];
    this.cells = [];
    this.edges = [];
    this.choice = select("f =", NAMES, this.f, (f) => this.edit(() => (this.f = f)));
    this.back = button("Back", () => this.go(this.at - 1));
    this.next = button("Step", () => this.step(), { class: "x-button is-main" });
    this.train = button("Train × 50", () => this.trainMany());
    const rate = this.pill("learning rate", "purple", () => this.model.lr, (v) => (this.model.lr = v), 0.01, 1, 0.01);
    this.heading = h("p", { class: "x-step" });
    this.lines = h("div", { class: "x-equation x-three" });
    this.append(
      h("div", { class: "x-line x-head" },
        h("div", { class: "x-line" }, this.back, this.next, this.train),
        h("div", { class: "x-line" }, this.choice, h("span", { class: "x-field" }, math("\\alpha ="), rate), button("Reset", () => this.reset()))),
      this.buildRows(),
      this.heading,
      this.buildNet(),
      h("div", { class: "x-two x-low" }, this.lines, this.buildCurve()),
      h("p", { class: "x-hint" }, "Drag any framed number sideways, or focus it and use the arrow keys. Purple beside a weight or bias is its gradient. Choose an equation to jump to it."),
    );
    this.resize = new ResizeObserver(() => this.wire());
    this.compute();
    this.losses = [this.loss];
  }

  connectedCallback() {
    super.connectedCallback();
    this.resize.observe(this.net);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.resize.disconnect();
    this.halt();
  }

  pill(label, hue, get, put, min = -3, max = 3, step = 0.05) {
    const element = scrub({ label, hue, min, max, step, digits: 2, get, change: (v) => this.edit(() => put(v)) });
    this.pills.push(element);
    return element;
  }

  // A place for a number that some step computes: hidden before that step.
  cell(key, hue, get, digits = 3) {
    const element = h("b", { class: `x-cell x-ink-${hue}` });
    this.cells.push({ element, key, get, digits });
    return element;
  }

  buildNet() {
    const { model } = this;
    this.wires = s("svg", { class: "x-wires", "aria-hidden": "true" });
    const inputs = model.X.map((row, j) =>
      h("div", { class: "x-unit x-input" }, math(`x_${j + 1}`), this.pill(`input ${j + 1}`, "orange", () => row[0], (v) => (row[0] = v))));
    const units = [null, [], []];
    for (const l of [1, 2]) {
      for (let i = 0; i < SIZES[l]; i += 1) {
        const name = l === 1 ? `hidden neuron ${i + 1}` : "output neuron";
        const rows = model.W[l][i].map((_, j) => {
          const symbol = `${l === 1 ? "x" : "a"}_${j + 1}`;
          const row = h("div", { class: "x-row" }, math(`w_{${i + 1}${j + 1}}`, { class: "x-m x-name" }),
            this.pill(`${name}, weight ${j + 1}`, "blue", () => model.W[l][i][j], (v) => (model.W[l][i][j] = v)),
            this.cell(`g${l}`, "purple", () => this.gradients.dW[l][i][j]));
          this.edges.push({ l, i, j, row, symbol });
          return row;
        });
        const value = (tex, key, hue, get) => h("div", null, math(tex), this.cell(key, hue, get));
        units[l].push(h("div", { class: "x-unit", role: "group", "aria-label": name },
          ...rows,
          h("div", { class: "x-row" }, math("b", { class: "x-m x-name" }), this.pill(`${name}, bias`, "blue", () => model.b[l][i][0], (v) => (model.b[l][i][0] = v)),
            this.cell(`g${l}`, "purple", () => this.gradients.db[l][i][0])),
          h("div", { class: "x-values" },
            value("z", `z${l}`, "fg", () => this.trace.Z[l][i][0]),
            value(l === 1 ? "a" : "\\hat{y}", l === 1 ? "a1" : "z2", "green", () => this.trace.A[l][i][0]),
            value("\\delta", `d${l}`, "purple", () => this.gradients.delta[l][i][0]))));
      }
    }
    this.units = [inputs, units[1], units[2]];
    const target = h("div", { class: "x-unit x-target" },
      h("div", { class: "x-field" }, math("y ="), this.pill("target", "orange", () => model.Y[0][0], (v) => (model.Y[0][0] = v))),
      h("div", { class: "x-field" }, math("\\L ="), this.cell("L", "fg", () => this.loss, "small")));
    this.net = h("div", { class: "x-net" }, this.wires,
      h("div", { class: "x-layer" }, inputs), h("div", { class: "x-layer" }, units[1]), h("div", { class: "x-layer" }, units[2], target));
    this.paths = this.edges.map(() => s("path", { class: "x-wire" }));
    this.wires.append(...this.paths);
    return this.net;
  }

  buildRows() {
    const item = ([key, ...parts]) => {
      const terms = parts.map((tex, i) => math(tex, { class: `x-m ${i > 0 ? "x-part" : ""}` }));
      const row = h("button", { type: "button", class: `x-eq ${INDEX[key] >= FIRST_BACK ? "is-back" : ""}`, onclick: () => this.go(INDEX[key]) }, terms);
      return { key, row, terms };
    };
    this.rows = ROWS.map(item);
    return h("div", { class: "x-eqs", role: "group", "aria-label": "The equations in order" }, this.rows.map(({ row }) => row));
  }

  buildCurve() {
    const svg = s("svg", { viewBox: "0 0 330 176", class: "x-svg", role: "img" });
    this.curve = new Plot(svg, { left: 44, top: 22, width: 276, height: 116, x: [0, 10], y: [0, 1], xName: "\\t{updates}", yName: "\\L" });
    this.track = s("path", { class: "x-stroke x-purple" });
    this.last = s("circle", { r: 4, class: "x-solid x-purple" });
    this.curve.back.append(this.track);
    this.curve.front.append(this.last);
    this.chart = svg;
    return h("div", null, svg);
  }

  compute() {
    const { model } = this;
    this.trace = forward(model, model.X, this.f);
    this.loss = mse(this.trace.A[2], model.Y);
    this.gradients = backward(model, this.trace, mseGradient(this.trace.A[2], model.Y), this.f);
  }

  edit(action) {
    this.halt();
    action();
    this.note = "";
    this.compute();
    this.losses = [this.loss];
    this.request();
    this.say(`Prediction ${spoken(this.trace.A[2][0][0], 3)}, loss ${spoken(this.loss, 3)}.`);
  }

  reset() {
    const fresh = structuredClone(START);
    this.edit(() => {
      this.f = this.choice.box.value = this.getAttribute("f") ?? "tanh";
      // The pills hold on to the rows: fill them, do not replace them.
      for (const key of ["W", "b"]) {
        for (const l of [1, 2]) fresh[key][l].forEach((row, i) => Object.assign(this.model[key][l][i], row));
      }
      fresh.X.forEach((row, i) => (this.model.X[i][0] = row[0]));
      this.model.Y[0][0] = fresh.Y[0][0];
      this.model.lr = fresh.lr;
      this.at = INDEX.L;
    });
  }

  go(at) {
    this.halt();
    this.note = "";
    this.at = clamp(at, 0, STEPS.length - 1);
    this.request();
    this.say(STEPS[this.at].title);
  }

  step() {
    if (this.at < STEPS.length - 1) return this.go(this.at + 1);
    this.halt();
    const before = this.loss;
    const done = this.update();
    this.at = INDEX.L;
    this.note = !done ? DIVERGED : `Every weight took a step: the loss went from ${fmtSmall(before, 4)} to ${fmtSmall(this.loss, 4)}.`;
    this.request();
    this.say(this.note);
  }

  // One step of descent. Not taken, and false, if it left the numbers that can be shown.
  update() {
    const { W, b } = sgdStep(this.model, this.gradients, this.model.lr);
    const all = [W, b].flatMap((layers) => layers.slice(1)).flat(2);
    if (!all.every((v) => Math.abs(v) < MOST)) return false;
    for (const l of [1, 2]) {
      W[l].forEach((row, i) => Object.assign(this.model.W[l][i], row));
      b[l].forEach((row, i) => Object.assign(this.model.b[l][i], row));
    }
    this.compute();
    this.losses.push(this.loss);
    if (this.losses.length > 401) this.losses.shift();
    return true;
  }

  trainMany() {
    if (this.playing) return this.halt();
    let left = 50;
    const finish = (done = true) => {
      this.halt();
      this.at = INDEX.L;
      this.note = done ? `50 updates later the loss is ${fmtSmall(this.loss, 4)}.` : DIVERGED;
      this.request();
      this.say(this.note);
    };
    if (this.still) {
      while (left > 0 && this.update()) left -= 1;
      return finish(left === 0);
    }
    this.at = STEPS.length - 1;
    this.train.textContent = "Stop";
    this.play(() => {
      const done = this.update();
      if (done) this.draw();
      left -= 1;
      if (done && left > 0) return true;
      finish(done);
      return false;
    });
  }

  halt() {
    this.playing = null;
    this.train.textContent = "Train × 50";
  }

  draw() {
    const step = STEPS[this.at];
    const back = this.at >= FIRST_BACK;
    for (const { element, key, get, digits } of this.cells) {
      const known = this.at >= INDEX[key];
      const text = known ? (digits === "small" ? fmtSmall(get(), 4) : fmt(get(), fitting(get(), digits))) : "·";
      if (element.textContent !== text) element.textContent = text;
      element.classList.toggle("is-new", step.key === key);
    }
    for (const element of this.pills) element.update();
    this.units.forEach((layer, l) => layer.forEach((unit) => unit.classList.toggle("is-lit", step.nodes === l && l > 0)));
    this.edges.forEach(({ l, i, j }, k) => {
      const w = this.model.W[l][i][j];
      const lit = step.edges === l ? (back ? "is-back" : "is-on") : "";
      set(this.paths[k], { class: `x-wire ${w < 0 ? "x-orange" : "x-blue"} ${lit}` });
      this.paths[k].style.strokeWidth = (1 + Math.min(Math.abs(w), 2.5) * 1.8).toFixed(2);
    });
    for (const { key, row, terms } of this.rows) {
      row.classList.toggle("is-lit", step.row === key);
      row.classList.toggle("is-done", this.at >= INDEX[key]);
      if (step.row === key) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
      terms.forEach((term, i) => term.classList.toggle("is-lit", i > 0 && step.row === key && step.part === i));
    }
    const last = this.at === STEPS.length - 1;
    this.heading.textContent = this.note || step.title;
    this.next.textContent = last ? "Update" : "Step";
    this.back.disabled = this.at === 0;
    this.lines.replaceChildren(...this.explain(step.key).map((line) => h("p", null, line)));
    this.drawCurve();
    Object.assign(this.dataset, { step: step.key, loss: this.loss });
    if (!this.wired) this.wire();
  }

  // The numbers of a step, one line a neuron.
  explain(key) {
    const { model: { W, b, X, Y }, trace: { Z, A }, gradients: { delta, dA, dW } } = this;
    const hidden = [0, 1, 2];
    const sum = (l, i) => [
      ...W[l][i].flatMap((w, j) => [j ? " + " : "", ink("blue", par(w, 2)), " · ", ink(l === 1 ? "orange" : "green", par(A[l - 1][j][0], l === 1 ? 2 : 3))]),
      " + ", ink("blue", par(b[l][i][0], 2)),
    ];
    const [yhat, y] = [A[2][0][0], Y[0][0]];
    const difference = [ink("green", fmt(yhat, 3)), " − ", ink("orange", par(y, 2))];
    const column = (values, digits = 3) => `(${values.map((v) => fmt(v, digits)).join(", ")})`;
    switch (key) {
      case "x": return [[math("x ="), " ", ink("orange", column([X[0][0], X[1][0]], 2))], [math("y ="), " ", ink("orange", fmt(y, 2))], ["Press Step."]];
      case "z1": return hidden.map((i) => [math(`z_${i + 1} =`), " ", ...sum(1, i), " = ", ink("fg", fmt(Z[1][i][0], 3))]);
      case "a1": return hidden.map((i) => [math(`a_${i + 1} =`), " ", math("f("), ink("fg", fmt(Z[1][i][0], 3)), ") = ", ink("green", fmt(A[1][i][0], 3))]);
      case "z2": return [[math("\\hat{y} ="), " ", ...sum(2, 0), " = ", ink("green", fmt(yhat, 3))]];
      case "L": return [[math("\\L ="), " ", "(", ...difference, ")² = ", ink("fg", fmtSmall(this.loss, 4))]];
      case "d2": return [[math("\\delta^{[2]} ="), " ", "2 · (", ...difference, ") = ", ink("purple", fmt(delta[2][0][0], 3))]];
      case "g2": return [
        [math("\\nabla_w \\L ="), " ", ink("purple", fmt(delta[2][0][0], 3)), " · ", ink("green", column(A[1].map(([a]) => a)))],
        ["= ", ink("purple", column(dW[2][0]))],
        [math("\\nabla_b \\L ="), " ", ink("purple", fmt(delta[2][0][0], 3))],
      ];
      case "s1": return hidden.map((i) => [math(`w_{1${i + 1}} \\delta^{[2]} =`), " ", ink("blue", par(W[2][0][i], 2)), " · ", ink("purple", par(delta[2][0][0], 3)), " = ", ink("purple", fmt(dA[1][i][0], 3))]);
      case "d1": return hidden.map((i) => [math(`\\delta_${i + 1} =`), " ", ink("purple", par(dA[1][i][0], 3)), " · ", math("f'("), ink("fg", fmt(Z[1][i][0], 3)), ") = ", ink("purple", par(dA[1][i][0], 3)), " · ", ink("fg", fmt(ACTIVATIONS[this.f].fPrime(Z[1][i][0]), 3)), " = ", ink("purple", fmt(delta[1][i][0], 3))]);
      default: return hidden.map((i) => [math(`\\delta_${i + 1} x^{\\top} =`), " ", ink("purple", fmt(delta[1][i][0], 3)), " · ", ink("orange", column([X[0][0], X[1][0]], 2)), " = ", ink("purple", column(dW[1][i]))]);
    }
  }

  drawCurve() {
    const { losses, curve } = this;
    const steps = Math.max(10, Math.ceil((losses.length - 1) / 50) * 50);
    const top = Math.max(...losses, 1e-9);
    const power = 10 ** Math.floor(Math.log10(top));
    curve.rule([0, losses.length > 11 ? steps : 10], [0, [1, 2, 5, 10].map((m) => m * power).find((m) => m >= top * 1.02) ?? 10 * power]);
    this.track.setAttribute("d", curve.path(losses.map((value, i) => [i, value])));
    const end = losses.length - 1;
    set(this.last, { cx: curve.X(end).toFixed(1), cy: clamp(curve.Y(losses[end]), -50, 500).toFixed(1) });
    this.chart.setAttribute("aria-label", `Loss after each update: ${end} updates, from ${fmtSmall(losses[0], 4)} to ${fmtSmall(losses[end], 4)}`);
  }

  // Draws the connections between where the boxes stand now.
  wire() {
    const box = this.net.getBoundingClientRect();
    if (!box.width) return;
    this.wired = true;
    set(this.wires, { viewBox: `0 0 ${box.width} ${box.height}` });
    this.edges.forEach(({ l, i, j, row }, k) => {
      const from = this.units[l - 1][j].getBoundingClientRect();
      const to = this.units[l][i].getBoundingClientRect();
      const at = row.getBoundingClientRect();
      const [x1, x2] = [from.right - box.left, to.left - box.left];
      const y1 = (from.top + from.bottom) / 2 - box.top;
      const y2 = (at.top + at.bottom) / 2 - box.top;
      const bend = (x2 - x1) * 0.5;
      this.paths[k].setAttribute("d", `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`);
    });
  }
}

customElements.get("nnfp-network") ?? customElements.define("nnfp-network", Network);
