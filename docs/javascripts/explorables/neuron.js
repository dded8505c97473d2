// One neuron with two inputs: the line, the sum and the output follow weights, bias and point.
import { ACTIVATIONS, foot, neuron, norm } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, handle, math, s, scrub, select, set, spoken, svgMath, unique } from "./ui.js";

const START = { w: [1, 2], x: [1, 2], beta: 1, f: "identity" };
const ANCHOR = [1, -1]; // where the weight arrow begins, in the plane of the inputs
const SIDE = 4;
const round = (value) => Number((Math.round(value * 10) / 10).toFixed(1));
const NAMES = { identity: "identity", relu: "ReLU", sigmoid: "sigmoid", tanh: "tanh" };

class Neuron extends Explorable {
  build() {
    this.state = structuredClone(START);
    this.plane = s("svg", { viewBox: "0 0 330 330", class: "x-svg", role: "group", "aria-label": "Plane of the two inputs" });
    this.bars = s("svg", { viewBox: "0 0 330 148", class: "x-svg", role: "img" });
    this.buildPlane();
    this.buildBars();
    const pill = (label, hue, bound, get, put) =>
      scrub({ label, hue, min: -bound, max: bound, get, change: (value) => this.change(() => put(value)) });
    const { state } = this;
    this.pills = [0, 1].flatMap((j) => [
      pill(`weight ${j + 1}`, "blue", 3, () => state.w[j], (v) => (state.w[j] = v)),
      pill(`input ${j + 1}`, "orange", SIDE, () => state.x[j], (v) => (state.x[j] = v)),
    ]);
    this.pills.push(pill("bias", "purple", 6, () => state.beta, (v) => (state.beta = v)));
    const [w1, x1, w2, x2, beta] = this.pills;
    this.sum = h("output", { class: "x-result" });
    this.output = h("output", { class: "x-result" });
    const term = (tex, element) => h("span", { class: "x-term" }, math(tex), element);
    const sign = (text) => h("span", { class: "x-sign" }, text);
    this.choice = select("output", NAMES, state.f, (f) => this.change(() => (state.f = f)));
    this.verdict = h("p", { class: "x-note" });
    this.append(
      h("div", { class: "x-head" },
        h("p", { class: "x-hint" }, "Drag the dots, the line, or the numbers. Or focus one and use the arrow keys."),
        button("Reset", () => this.reset())),
      h("div", { class: "x-two x-neuron" },
        h("div", null, this.plane),
        h("div", { class: "x-column" },
          h("div", { class: "x-formula", role: "group", "aria-label": "Equation of the neuron" },
            h("span", { class: "x-sign" }, math("s =")), term("w_1", w1), sign("·"), term("x_1", x1), sign("+"), term("w_2", w2), sign("·"), term("x_2", x2),
            sign("+"), term("\\beta", beta)),
          this.bars,
          h("div", { class: "x-line" }, this.choice, math("f(s) ="), this.output),
          this.verdict)),
    );
  }

  buildPlane() {
    const { plane, state } = this;
    const gradient = unique("shade");
    this.plot = new Plot(plane, {
      left: 28, top: 22, width: 280, height: 280, x: [-SIDE, SIDE], y: [-SIDE, SIDE],
      xName: "x_1", yName: "x_2", xTicks: [-4, -2, 0, 2, 4], yTicks: [-4, -2, 0, 2, 4],
    });
    const { back, front, plot } = { back: this.plot.back, front: this.plot.front, plot: this.plot };
    this.shade = s("linearGradient", { id: gradient, gradientUnits: "userSpaceOnUse" },
      Array.from({ length: 17 }, (_, i) => s("stop", { offset: i / 16 })));
    const square = { x: plot.left, y: plot.top, width: plot.width, height: plot.height };
    this.tint = s("rect", { ...square, fill: `url(#${gradient})` });
    this.levels = s("path", { class: "x-thin" });
    this.line = s("path", { class: "x-stroke x-blue" });
    this.distance = s("path", { class: "x-dashed x-orange" });
    this.stem = s("path", { class: "x-stroke x-blue" });
    this.tip = s("path", { d: "M0 0L-11 -5V5Z", class: "x-solid x-blue" });
    this.origin = s("circle", { r: 3, cx: plot.X(ANCHOR[0]), cy: plot.Y(ANCHOR[1]), class: "x-solid x-blue" });
    back.append(s("defs", null, this.shade), this.tint, this.levels, this.line, this.distance, this.origin, this.stem, this.tip);
    this.labelW = svgMath("w", { class: "x-label x-blue" });
    this.labelX = s("text", { class: "x-label x-orange" });
    this.labelLine = s("text", { class: "x-label x-blue x-mid" });
    this.labelLine.append(s("tspan", { class: "x-i" }, "s"), " = 0");
    const two = (name, v, bound) => ({
      now: v[0], min: -bound, max: bound,
      text: `${name} 1 ${spoken(v[0], 1)}, ${name} 2 ${spoken(v[1], 1)}`,
    });
    const put = (key, v, bound) => this.change(() => (state[key] = v.map((a) => clamp(round(a), -bound, bound))));
    this.handles = [
      handle(plane, {
        label: "line, moved by the bias", hue: "purple",
        place: () => this.grip ?? [-100, -100],
        move: (px, py) => this.change(() => {
          const beta = -neuron(state.w, [plot.unX(px), plot.unY(py)], 0);
          state.beta = clamp(round(beta), -6, 6);
        }),
        nudge: (dx, dy) => this.change(() => (state.beta = clamp(round(state.beta + (dx + dy) / 10), -6, 6))),
        value: () => ({ now: state.beta, min: -6, max: 6, text: `bias ${spoken(state.beta, 1)}` }),
      }),
      handle(plane, {
        label: "tip of the weight arrow", hue: "blue",
        place: () => [plot.X(ANCHOR[0] + state.w[0]), plot.Y(ANCHOR[1] + state.w[1])],
        move: (px, py) => put("w", [plot.unX(px) - ANCHOR[0], plot.unY(py) - ANCHOR[1]], 3),
        nudge: (dx, dy) => put("w", [state.w[0] + dx / 10, state.w[1] + dy / 10], 3),
        value: () => two("weight", state.w, 3),
      }),
      handle(plane, {
        label: "input point", hue: "orange",
        place: () => [plot.X(state.x[0]), plot.Y(state.x[1])],
        move: (px, py) => put("x", [plot.unX(px), plot.unY(py)], SIDE),
        nudge: (dx, dy) => put("x", [state.x[0] + dx / 10, state.x[1] + dy / 10], SIDE),
        value: () => two("input", state.x, SIDE),
      }),
    ];
    front.append(this.labelLine, this.labelW, this.labelX, ...this.handles);
  }

  buildBars() {
    const names = ["w_1 x_1", "w_2 x_2", "\\beta", "s"];
    this.zero = s("path", { class: "x-grid" });
    this.rows = names.map((tex, i) => {
      const y = 18 + 36 * i;
      const bar = s("rect", { y: y - 11, height: 22, rx: 2, class: `x-solid x-${["blue", "blue", "purple", "fg"][i]}` });
      const join = s("path", { class: "x-join" });
      const value = s("text", { x: 326, y: y + 5, class: "x-value x-end" });
      return { y, bar, join, value, name: svgMath(tex, { x: 4, y: y + 5, class: "x-label" }) };
    });
    this.bars.append(this.zero, ...this.rows.map((r) => r.join), ...this.rows.flatMap((r) => [r.bar, r.name, r.value]));
  }

  change(action) {
    action();
    this.request();
    const { w, x, beta } = this.state;
    this.say(`Sum ${spoken(neuron(w, x, beta))}.`);
  }

  reset() {
    Object.assign(this.state, structuredClone(START));
    this.choice.box.value = START.f;
    this.change(() => {});
  }

  draw() {
    const { w, x, beta, f } = this.state;
    const sum = neuron(w, x, beta);
    const out = ACTIVATIONS[f].f(sum);
    this.drawPlane(w, x, beta, sum);
    this.drawBars(w, x, beta, sum);
    this.output.textContent = f === "sigmoid" || f === "tanh" ? fmtSmall(out) : fmt(out);
    const far = norm(w) > 0 ? Math.abs(sum) / norm(w) : 0;
    const side = Math.abs(sum) < 1e-9 ? "on the line" : `${fmt(far)} from the line, on its ${sum > 0 ? "positive" : "negative"} side`;
    this.verdict.textContent =
      norm(w) > 0 ? `The point lies ${side}.` : "Without weights there is no line: the sum is the bias everywhere.";
    for (const element of [...this.pills, ...this.handles]) element.update();
    this.dataset.sum = sum;
    this.dataset.output = out;
  }

  drawPlane(w, x, beta, sum) {
    const { plot } = this;
    const size = norm(w);
    const at = ([u, v]) => `${plot.X(u).toFixed(1)} ${plot.Y(v).toFixed(1)}`;
    const { f } = this.state;
    // The tint follows the output along the direction of w, through the middle of the plane.
    const along = size > 0 ? w.map((a) => a / size) : [1, 0];
    const reach = SIDE * Math.SQRT2;
    const [a, b] = [-1, 1].map((end) => along.map((d) => end * reach * d));
    set(this.shade, { x1: plot.X(a[0]), y1: plot.Y(a[1]), x2: plot.X(b[0]), y2: plot.Y(b[1]) });
    [...this.shade.children].forEach((stop, i) => {
      const t = (i / 16) * 2 - 1;
      const value = ACTIVATIONS[f].f(t * reach * size + beta);
      const strength = f === "sigmoid" || f === "tanh" ? Math.abs(value) : Math.min(Math.abs(value) / 9, 1);
      stop.setAttribute("class", value >= 0 ? "x-plus" : "x-minus");
      stop.setAttribute("stop-opacity", (0.42 * strength).toFixed(3));
    });
    // The line itself, and its neighbours at every third unit of the sum.
    const across = [-along[1], along[0]];
    const line = (level) => {
      const base = along.map((d) => (d * (level - beta)) / size);
      return `M${at(base.map((v, j) => v - 9 * across[j]))}L${at(base.map((v, j) => v + 9 * across[j]))}`;
    };
    const levels = [];
    if (size > 0.25) {
      for (let level = 3; level <= size * reach + 6; level += 3) levels.push(line(level), line(-level));
    }
    this.levels.setAttribute("d", levels.join(""));
    this.line.setAttribute("d", size > 0 ? line(0) : "");
    const p = size > 0 ? foot(w, x, beta) : x;
    this.distance.setAttribute("d", `M${at(x)}L${at(p)}`);
    const end = ANCHOR.map((v, j) => v + w[j]);
    this.stem.setAttribute("d", `M${at(ANCHOR)}L${at(end)}`);
    const turn = (-Math.atan2(w[1], w[0]) * 180) / Math.PI;
    set(this.tip, { transform: `translate(${at(end)}) rotate(${turn.toFixed(1)}) translate(-6 0)`, opacity: size > 0.3 ? 1 : 0 });
    // The grip of the line: as near to the upper left as the line allows.
    const q = size > 0 ? foot(w, [-2.6, 0.9], beta) : null;
    const inside = q && Math.max(...q.map(Math.abs)) < SIDE + 0.01;
    const other = !inside && size > 0 ? foot(w, [0, 0], beta) : q;
    const shown = other && Math.max(...other.map(Math.abs)) < SIDE + 0.01;
    this.grip = shown ? [plot.X(other[0]), plot.Y(other[1])] : null;
    this.handles[0].classList.toggle("is-gone", !shown);
    const tag = (element, [u, v], dx, dy) => {
      const left = plot.X(u) + dx;
      set(element, { x: clamp(left, 34, 300), y: clamp(plot.Y(v) + dy, 36, 296) });
    };
    tag(this.labelW, end, w[0] < 0 ? -20 : 12, w[1] < 0 ? 20 : 4);
    this.labelX.replaceChildren(s("tspan", { class: "x-i" }, "x"), `, `, s("tspan", { class: "x-i" }, "s"), ` = ${fmt(sum, 2)}`);
    const left = x[0] > 1.2;
    this.labelX.setAttribute("class", `x-label x-orange ${left ? "x-end" : ""}`);
    tag(this.labelX, x, left ? -14 : 14, x[1] > 3.4 ? 16 : -8);
    this.labelLine.style.display = shown ? "" : "none";
    if (shown) {
      // on the negative side, so that it stays off the line
      const x = clamp(this.grip[0] - along[0] * 30, 54, 284);
      set(this.labelLine, { x, y: clamp(this.grip[1] + along[1] * 24 + 5, 36, 296) });
    }
  }

  drawBars(w, x, beta, sum) {
    const parts = [w[0] * x[0], w[1] * x[1], beta];
    const ends = parts.reduce((list, part) => [...list, list.at(-1) + part], [0]);
    const most = Math.max(...ends.map(Math.abs));
    const limit = [6, 12, 18, 24, 30].find((bound) => most <= bound + 1e-9) ?? 30;
    const X = (value) => 165 + (value / limit) * 100;
    this.zero.setAttribute("d", "M165 2V146");
    this.rows.forEach(({ y, bar, join, value }, i) => {
      const [from, to] = i < 3 ? [ends[i], ends[i + 1]] : [0, sum];
      set(bar, { x: Math.min(X(from), X(to)).toFixed(1), width: Math.max(Math.abs(X(to) - X(from)), 1.5).toFixed(1) });
      join.setAttribute("d", i < 3 ? `M${X(to).toFixed(1)} ${y + 11}v14` : "");
      value.textContent = fmt(i < 3 ? parts[i] : sum);
    });
    this.bars.setAttribute("aria-label", `w1 x1 is ${spoken(parts[0])}, w2 x2 is ${spoken(parts[1])}, the bias is ${spoken(beta)}: together ${spoken(sum)}`);
  }
}

customElements.get("nnfp-neuron") ?? customElements.define("nnfp-neuron", Neuron);
