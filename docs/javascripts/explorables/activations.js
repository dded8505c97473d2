// An activation, its slope, and what becomes of a bell of inputs that passes through it.
import { ACTIVATIONS, meanOf, normalCells, passThrough } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, handle, math, range, s, select, set, spoken, svgMath } from "./ui.js";

const NAMES = {
  identity: "identity", sigmoid: "sigmoid", tanh: "tanh", relu: "ReLU",
  leaky_relu: "leaky ReLU", elu: "ELU", softplus: "softplus", silu: "SiLU",
};
const START = { name: "silu", z: -1.5, mean: 0, sd: 1.5 };
const REACH = 6;
const BINS = 84;
const FLAT = 0.05;
const piles = (name) => name === "relu" || name === "leaky_relu";
const bounded = (name) => name === "sigmoid" || name === "tanh";

class Activations extends Explorable {
  build() {
    this.state = { ...START };
    this.state.name = this.closest("[data-start]")?.dataset.start ?? START.name;
    this.svg = s("svg", { viewBox: "0 0 330 336", class: "x-svg x-grow", role: "group", "aria-label": "Activation, slope and distribution" });
    this.buildPlot();
    this.choice = select("activation", NAMES, this.state.name, (name) => this.put({ name }));
    this.value = h("b", { class: "x-ink-blue" });
    this.slope = h("b", { class: "x-ink-orange" });
    this.at = h("b");
    this.center = range({
      label: "middle", min: -5, max: 5, step: 0.1, value: this.state.mean, hue: "green",
      show: (v) => fmt(v, 1), change: (mean) => this.put({ mean }),
    });
    this.spread = range({
      label: "spread", min: 0.1, max: 4, step: 0.1, value: this.state.sd, hue: "green",
      show: (v) => fmt(v, 1), change: (sd) => this.put({ sd }),
    });
    this.facts = h("dl", { class: "x-facts" });
    this.append(
      h("div", { class: "x-head" },
        h("p", { class: "x-hint" }, "Drag the dot along the curve, and the bell of inputs below it."),
        button("Reset", () => this.reset())),
      h("div", { class: "x-two x-wide-left" },
        h("div", null, this.svg),
        h("div", { class: "x-column" },
          this.choice,
          h("div", { class: "x-equation" },
            h("p", null, math("z ="), " ", this.at),
            h("p", null, math("f(z) ="), " ", this.value),
            h("p", null, math("f'(z) ="), " ", this.slope)),
          h("div", { class: "x-group", role: "group", "aria-label": "Distribution of the inputs" }, h("p", { class: "x-hint" }, "The bell of inputs"), this.center, this.spread),
          this.facts)),
    );
  }

  buildPlot() {
    const { svg } = this;
    const [left, top, size] = [30, 22, 212];
    this.plot = new Plot(svg, { left, top, width: size, height: size, x: [-REACH, REACH], y: [-1, 4], xTicks: [-6, -4, -2, 0, 2, 4, 6] });
    this.curve = s("path", { class: "x-stroke x-blue" });
    this.bend = s("path", { class: "x-stroke x-orange" });
    this.tangent = s("path", { class: "x-dashed x-fg" });
    this.up = s("path", { class: "x-join" });
    this.slopeDot = s("circle", { r: 5, class: "x-solid x-orange" });
    this.plot.back.append(this.up, this.tangent, this.bend, this.curve);
    const bottom = top + size + 24;
    this.below = { y: bottom, height: 56 };
    this.side = { x: left + size + 8, width: 76 };
    this.bell = s("path", { class: "x-area x-green" });
    this.image = s("path", { class: "x-area x-blue" });
    const base = bottom + this.below.height;
    const words = (text, x, y, cls) => s("text", { x, y, class: `x-tick ${cls}` }, text);
    this.meanLine = s("path", { class: "x-dashed x-blue" });
    const beside = (y) => s("text", { x: this.side.x + this.side.width, y, class: "x-end x-halo" });
    this.spike = beside();
    [this.above, this.under] = [beside(top + 12), beside(top + size - 5)];
    svg.append(
      s("path", { d: `M${left} ${base}h${size}`, class: "x-frame" }),
      s("path", { d: `M${this.side.x} ${top}v${size}`, class: "x-frame" }),
      this.bell, this.image, this.meanLine,
      svgMath("z", { x: left + size + 10, y: base + 2, class: "x-name" }),
      words("inputs", left + size / 2, base + 16, "x-mid"),
      svgMath("f(z)", { x: left, y: top - 7, class: "x-label x-blue" }),
      svgMath("f'(z)", { x: left + 44, y: top - 7, class: "x-label x-orange" }),
      words("outputs", this.side.x + 2, top - 8, ""),
      this.spike, this.above, this.under,
    );
    const { plot } = this;
    this.dot = handle(svg, {
      label: "input z", hue: "blue",
      place: () => [plot.X(this.state.z), clamp(plot.Y(ACTIVATIONS[this.state.name].f(this.state.z)), top, top + size)],
      move: (px) => this.put({ z: plot.unX(px) }),
      nudge: (dx, dy) => this.put({ z: this.state.z + (dx + dy) / 10 }),
      value: () => ({ now: this.state.z, min: -REACH, max: REACH, text: `z is ${spoken(this.state.z, 1)}` }),
    });
    this.grip = handle(svg, {
      label: "middle of the inputs", hue: "green",
      place: () => [plot.X(this.state.mean), base],
      move: (px) => this.put({ mean: plot.unX(px) }),
      nudge: (dx, dy) => this.put({ mean: this.state.mean + (dx + dy) / 10 }),
      value: () => ({ now: this.state.mean, min: -5, max: 5, text: `middle ${spoken(this.state.mean, 1)}` }),
    });
    svg.append(this.slopeDot, this.dot, this.grip);
  }

  put(change) {
    const next = { ...this.state, ...change };
    if (![next.z, next.mean, next.sd].every(Number.isFinite)) return;
    const tenth = (value) => Math.round(value * 10) / 10;
    next.z = clamp(tenth(next.z), -REACH, REACH);
    next.mean = clamp(tenth(next.mean), -5, 5);
    next.sd = clamp(tenth(next.sd), 0.1, 4);
    this.state = next;
    this.center.put(next.mean);
    this.spread.put(next.sd);
    this.request();
    const { f, fPrime } = ACTIVATIONS[next.name];
    this.say(`f ${spoken(f(next.z))}, slope ${spoken(fPrime(next.z))}`);
  }

  reset() {
    const name = this.closest("[data-start]")?.dataset.start ?? START.name;
    this.choice.box.value = name;
    this.put({ ...START, name });
  }

  draw() {
    const { name, z, mean, sd } = this.state;
    const { f, fPrime } = ACTIVATIONS[name];
    const { plot } = this;
    const y = bounded(name) ? [-1.25, 1.25] : name === "identity" ? [-6, 6] : [-2, 5];
    plot.rule(plot.x, y);
    const grid = Array.from({ length: 241 }, (_, i) => -REACH + i / 20);
    this.curve.setAttribute("d", plot.path(grid.map((v) => [v, f(v)])));
    this.bend.setAttribute("d", plot.path(piles(name)
      ? [[-REACH, fPrime(-1)], [0, fPrime(-1)], [0, NaN], [0, 1], [REACH, 1]]
      : grid.map((v) => [v, fPrime(v)])));
    const [at, slope] = [f(z), fPrime(z)];
    const half = 1.8 / Math.hypot(1, (slope * 12) / (y[1] - y[0]));
    this.tangent.setAttribute("d", plot.path([[z - half, at - half * slope], [z + half, at + half * slope]]));
    this.up.setAttribute("d", `M${plot.X(z)} ${plot.top}v${plot.height}`);
    set(this.slopeDot, { cx: plot.X(z), cy: plot.Y(slope) });
    this.drawBells(this.state, f, y);
    this.at.textContent = fmt(z, 1);
    this.value.textContent = fmtSmall(at);
    this.slope.textContent = fmtSmall(slope);
    this.dot.update();
    this.grip.update();
    const cells = normalCells(mean, sd);
    const average = meanOf(fPrime, cells);
    const flat = meanOf((v) => (Math.abs(fPrime(v)) < FLAT ? 1 : 0), cells);
    const fact = (term, value) => [h("dt", null, term), h("dd", null, value)];
    const out = meanOf(f, cells);
    this.facts.replaceChildren(
      ...fact("mean output", fmt(out)),
      ...fact("mean slope", fmtSmall(average)),
      ...fact(`slope below ${FLAT}`, `${fmt(100 * flat, 0)} %`),
    );
    Object.assign(this.dataset, { value: at, slope, mean: out, average, flat });
  }

  drawBells({ name, mean, sd }, f, y) {
    const { plot, below, side } = this;
    const cells = normalCells(mean, sd);
    const base = below.y + below.height;
    const bell = Array.from({ length: 81 }, (_, i) => -4 + i / 10).map((u) => [mean + sd * u, Math.exp((-u * u) / 2)]);
    const X = (v) => clamp(plot.X(v), plot.left, plot.left + plot.width).toFixed(1);
    this.bell.setAttribute("d", `M${X(bell[0][0])} ${base}${bell.map(([v, p]) => `L${X(v)} ${(base - p * below.height).toFixed(1)}`).join("")}L${X(bell.at(-1)[0])} ${base}Z`);
    const mass = passThrough(f, cells, y[0], y[1], BINS);
    const top = mass.indexOf(Math.max(...mass));
    // The longest bar fills the strip. Where a kink piles up a whole side of the bell on one place,
    // that bar is cut off and named, so that the rest can be seen.
    const rest = Math.max(...mass.filter((_, i) => Math.abs(i - top) > 1));
    const full = piles(name) ? clamp(rest, mass[top] / 12, mass[top]) || 1 : mass[top] || 1;
    const tall = plot.height / BINS;
    const bottom = plot.top + plot.height;
    let d = `M${side.x} ${bottom}`;
    mass.forEach((share, i) => {
      const wide = (side.x + side.width * Math.min(share / full, 1)).toFixed(1);
      d += `L${wide} ${(bottom - i * tall).toFixed(1)}V${(bottom - (i + 1) * tall).toFixed(1)}`;
    });
    this.image.setAttribute("d", `${d}L${side.x} ${plot.top}Z`);
    const named = mass[top] > full * 1.001 && mass[top] > 0.12;
    this.spike.textContent = named ? `${fmt(100 * mass[top], 0)} %` : "";
    this.spike.setAttribute("y", clamp(bottom - (top + 1) * tall - 5, plot.top + 12, bottom));
    const outside = (text, is) => {
      const share = meanOf((v) => (is(f(v)) ? 1 : 0), cells);
      return share < 0.005 ? "" : `${text} ${fmt(100 * share, 0)} %`;
    };
    this.above.textContent = outside("↑", (v) => v > y[1]);
    this.under.textContent = outside("↓", (v) => v < y[0]);
    const average = plot.Y(meanOf(f, cells));
    this.meanLine.setAttribute("d", average < plot.top || average > bottom ? "" : `M${side.x} ${average.toFixed(1)}h${side.width}`);
  }
}

customElements.get("nnfp-activations") ?? customElements.define("nnfp-activations", Activations);
