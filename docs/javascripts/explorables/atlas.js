// Stability atlas: for each learning rate and curvature descent is run and its growth is measured.
import { descend, measuredLimit, stabilityLimit } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, handle, math, range, s, spoken } from "./ui.js";

const START = { lr: 0.15, c: 10 };
const RATE = [-2, 1]; // powers of ten
const CURVE = [-1, 2];
const STEPS = 24;
const CELLS = 100;

// Rate and curvature have three digits, so that the product in the formula is the one that is meant.
const three = (value) => Number(value.toPrecision(3));
const plain = (value) => fmt(value, value < 0.1 ? 4 : value < 1 ? 3 : value < 10 ? 2 : 1);
// As many digits as it takes to see on which side of 1 a factor is.
function digitsOf(factor) {
  const away = Math.abs(Math.abs(factor) - 1);
  return away < 1e-9 ? 2 : clamp(Math.ceil(-Math.log10(away)) + 1, 2, 6);
}

class Atlas extends Explorable {
  build() {
    this.state = { ...START };
    this.canvas = h("canvas", { class: "x-canvas", width: CELLS, height: CELLS, "aria-hidden": "true" });
    this.svg = s("svg", { viewBox: "0 0 330 310", class: "x-svg", role: "group", "aria-label": "Learning rate against curvature" });
    this.time = s("svg", { viewBox: "0 0 330 200", class: "x-svg", role: "img" });
    const square = { left: 40, top: 20, width: 258, height: 258 };
    this.plot = new Plot(this.svg, { ...square, x: RATE, y: CURVE, xTicks: [], yTicks: [], xName: "\\alpha", yName: "c" });
    const { plot } = this;
    const power = (n) => (n < 0 ? fmt(10 ** n, -n) : fmt(10 ** n, 0));
    for (let n = -2; n <= 2; n += 1) {
      if (n <= 1) plot.front.append(s("text", { x: plot.X(n), y: 293, class: "x-tick x-mid" }, power(n)));
      if (n >= -1) plot.front.append(s("text", { x: 35, y: plot.Y(n) + 4, class: "x-tick x-end" }, power(n)));
    }
    const line = (level) => plot.path([[Math.log10(level) - CURVE[1], CURVE[1]], [Math.log10(level) - CURVE[0], CURVE[0]]]);
    this.measured = s("g", { class: "x-fg" });
    plot.back.append(s("path", { d: line(1), class: "x-join x-strong" }), s("path", { d: line(2), class: "x-stroke x-fg" }), this.measured);
    const turned = (text, x, y) => s("text", { class: "x-halo x-mid", transform: `translate(${plot.X(x)} ${plot.Y(y)}) rotate(45)` }, text);
    plot.front.append(turned("proved limit 2 / c", -0.22, 0.75), turned("one step, 1 / c", -0.98, 0.72));
    this.dot = handle(this.svg, {
      label: "learning rate and curvature", hue: "blue",
      place: () => [plot.X(Math.log10(this.state.lr)), plot.Y(Math.log10(this.state.c))],
      move: (px, py) => this.put({ lr: 10 ** plot.unX(px), c: 10 ** plot.unY(py) }),
      nudge: (dx, dy) => this.put({ lr: this.state.lr * 10 ** (dx / 50), c: this.state.c * 10 ** (dy / 50) }),
      value: () => ({ now: this.state.lr, min: 0.01, max: 10, text: `learning rate ${fmtSmall(this.state.lr)}, curvature ${fmtSmall(this.state.c)}` }),
    });
    plot.front.append(this.dot);
    this.course = new Plot(this.time, { left: 40, top: 20, width: 276, height: 148, x: [0, STEPS], y: [-2, 2], xName: "t", yName: "x_t", xTicks: [0, 6, 12, 18, 24] });
    this.track = s("path", { class: "x-stroke x-blue" });
    this.marks = s("g", { class: "x-blue" });
    this.course.back.append(this.track, this.marks);
    const slider = (words, tex, hue, bounds, key) =>
      range({
        label: h("span", null, words, " ", math(tex)), min: bounds[0], max: bounds[1], step: 0.01, value: Math.log10(START[key]), hue,
        show: () => plain(this.state[key]), change: (p) => this.put({ [key]: 10 ** p }),
      });
    this.rate = slider("rate", "\\alpha", "blue", RATE, "lr");
    this.curvature = slider("curvature", "c", "purple", CURVE, "c");
    this.equation = h("p");
    this.verdict = h("p", { class: "x-step" });
    this.limits = h("p", { class: "x-note" });
    this.append(
      h("div", { class: "x-head" },
        h("p", { class: "x-hint" }, "Each place of the map is a descent that was run. Blue settles, orange runs away, stronger is faster. Drag the dot."),
        button("Reset", () => this.put({ ...START }))),
      h("div", { class: "x-two" },
        h("div", { class: "x-stack" }, this.canvas, this.svg),
        h("div", { class: "x-column" }, h("div", { class: "x-group" }, this.rate, this.curvature), h("div", { class: "x-equation" }, this.equation), this.verdict, this.time, this.limits)),
    );
    this.measure();
  }

  // Runs every descent once. What is kept is the factor by which a step changed the distance.
  measure() {
    const at = (bounds, i) => 10 ** (bounds[0] + ((i + 0.5) / CELLS) * (bounds[1] - bounds[0]));
    this.growth = new Float64Array(CELLS * CELLS);
    for (let row = 0; row < CELLS; row += 1) {
      const c = at(CURVE, CELLS - 1 - row);
      for (let column = 0; column < CELLS; column += 1) {
        const path = descend((x) => c * x, 1, at(RATE, column), STEPS);
        this.growth[row * CELLS + column] = Math.log10(Math.abs(path[STEPS]) + 1e-30) / STEPS;
      }
    }
    const { plot } = this;
    this.worst = 0;
    for (let n = CURVE[0] + 0.25; n < CURVE[1]; n += 0.25) {
      const limit = measuredLimit(10 ** n, 100);
      this.worst = Math.max(this.worst, Math.abs(limit / stabilityLimit(10 ** n) - 1));
      if (limit > 10) continue;
      this.measured.append(s("circle", { cx: plot.X(Math.log10(limit)).toFixed(2), cy: plot.Y(n).toFixed(2), r: 3.6, class: "x-solid" }));
    }
    this.repaint();
  }

  repaint() {
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(CELLS, CELLS);
    const [low, high] = [this.colour("blue"), this.colour("orange")];
    this.growth.forEach((growth, i) => {
      const colour = growth <= 0 ? low : high;
      const depth = growth <= 0 ? Math.min(-growth / 1.2, 1) ** 0.5 : Math.min(growth / 2.4, 1) ** 0.5;
      image.data.set([...colour, Math.round(255 * (0.05 + 0.72 * depth))], i * 4);
    });
    context.putImageData(image, 0, 0);
  }

  put(change) {
    const next = { ...this.state, ...change };
    if (!Number.isFinite(next.lr) || !Number.isFinite(next.c)) return;
    this.state = { lr: three(clamp(next.lr, 0.01, 10)), c: three(clamp(next.c, 0.1, 100)) };
    this.rate.put(Math.log10(this.state.lr));
    this.curvature.put(Math.log10(this.state.c));
    this.request();
    const factor = 1 - this.state.lr * this.state.c;
    this.say(`Factor ${spoken(factor, digitsOf(factor))}. ${this.judge()}`);
  }

  judge() {
    const size = Math.abs(1 - this.state.lr * this.state.c);
    if (Math.abs(size - 1) < 1e-9) return "On the limit: it neither settles nor runs away.";
    return size < 1 ? "Settles." : "Runs away.";
  }

  draw() {
    const { lr, c } = this.state;
    const path = descend((x) => c * x, 1, lr, STEPS);
    this.track.setAttribute("d", this.course.path(path.map((x, t) => [t, x])));
    this.marks.replaceChildren(...path.map((x, t) => [t, x]).filter(([, x]) => Math.abs(x) < 2.2).map(([t, x]) =>
      s("circle", { cx: this.course.X(t).toFixed(1), cy: this.course.Y(x).toFixed(1), r: 3, class: "x-solid" })));
    this.equation.replaceChildren(math("1 - \\alpha c ="), ` 1 − ${plain(lr)} · ${plain(c)} = `, h("b", null, fmt(1 - lr * c, digitsOf(1 - lr * c))));
    this.verdict.textContent = this.judge();
    this.limits.textContent = `Limit for this curvature: ${fmtSmall(stabilityLimit(c))}. The dots are limits found by trying; they are off by less than ${this.worst < 1e-6 ? "a millionth" : fmtSmall(this.worst)}.`;
    this.time.setAttribute("aria-label", `Place against step: ${this.judge()}`);
    this.dot.update();
    Object.assign(this.dataset, { factor: 1 - lr * c, end: path[STEPS] });
  }
}

customElements.get("nnfp-atlas") ?? customElements.define("nnfp-atlas", Atlas);
