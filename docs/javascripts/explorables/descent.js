// Gradient descent on x^2 - 4x + 5: start and learning rate move, the whole path follows.
import { descend, quadratic, quadraticPrime } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, handle, math, s, scrub, set, spoken } from "./ui.js";

const START = { x0: 0, lr: 0.75, t: 0 };
const STEPS = 20;
const MAX_RATE = 1.25;

function verdict({ x0, lr }) {
  if (x0 === 2) return "Starts at the minimum: the slope is 0, nothing moves.";
  if (lr < 0.05) return "Creeps: the factor is just below 1.";
  if (lr < 0.4999) return "Approaches from one side.";
  if (lr <= 0.5001) return "Arrives in one step: the factor is 0.";
  if (lr < 0.9999) return "Overshoots, changes sides and still arrives.";
  if (lr <= 1.0001) return "The limit: jumps between two places for ever.";
  return "Runs away: every swing is wider than the one before.";
}

class Descent extends Explorable {
  build() {
    this.state = { ...START };
    const drawing = (height, label) =>
      s("svg", { viewBox: `0 0 330 ${height}`, class: "x-svg", role: "group", "aria-label": label });
    this.hill = drawing(264, "The parabola with the path of descent");
    this.rate = drawing(140, "Size of the factor against the learning rate");
    this.time = drawing(264, "Place against step");
    this.buildHill();
    this.buildRate();
    this.buildTime();
    const pill = (label, hue, min, max, step, digits, key) =>
      scrub({ label, hue, min, max, step, digits, get: () => this.state[key], change: (v) => this.put({ [key]: v }) });
    this.pills = [
      pill("start", "orange", -2, 6, 0.1, 1, "x0"),
      pill("learning rate", "blue", 0.01, MAX_RATE, 0.01, 2, "lr"),
    ];
    this.general = h("div", { class: "x-line x-big" });
    this.numbers = h("div", { class: "x-line x-big" });
    this.verdict = h("p", { class: "x-note" });
    this.previous = button("Back", () => this.walk(-1));
    this.next = button("Step", () => this.walk(1), { class: "x-button is-main" });
    this.run = button("Play", () => this.toggle());
    this.append(
      h("div", { class: "x-head" },
        h("p", { class: "x-hint" }, "Drag the start on the curve and the learning rate on the V. Then step."),
        button("Reset", () => this.put({ ...START }))),
      h("div", { class: "x-two x-four" },
        h("div", null, this.hill), h("div", { class: "x-last" }, this.time), h("div", null, this.rate),
        h("div", { class: "x-column" },
          h("div", { class: "x-line" },
            h("span", { class: "x-field" }, "start ", math("x_0"), this.pills[0]),
            h("span", { class: "x-field" }, "rate ", math("\\alpha"), this.pills[1])),
          h("div", { class: "x-line" }, this.previous, this.next, this.run),
          h("div", { class: "x-equation" }, this.general, this.numbers),
          this.verdict)),
    );
  }

  buildHill() {
    this.plot = new Plot(this.hill, { left: 34, top: 20, width: 284, height: 210, x: [-2, 6], y: [0, 18], xName: "x", yName: "f(x)" });
    const { plot } = this;
    const curve = Array.from({ length: 81 }, (_, i) => [-2 + i / 10, quadratic(-2 + i / 10)]);
    this.chords = s("path", { class: "x-thin" });
    this.dots = s("g", { class: "x-orange" });
    this.tangent = s("path", { class: "x-dashed x-purple" });
    this.move = s("path", { class: "x-stroke x-orange" });
    plot.back.append(s("path", { d: plot.path(curve), class: "x-stroke x-blue" }), this.chords, this.dots, this.tangent, this.move);
    this.here = s("circle", { r: 5, class: "x-solid x-purple" });
    this.there = s("circle", { r: 4, class: "x-open x-orange" });
    this.start = handle(this.hill, {
      label: "start", hue: "orange",
      place: () => [plot.X(this.state.x0), plot.Y(quadratic(this.state.x0))],
      move: (px) => this.put({ x0: plot.unX(px) }),
      nudge: (dx, dy) => this.put({ x0: this.state.x0 + (dx + dy) / 10 }),
      value: () => ({ now: this.state.x0, min: -2, max: 6, text: `start ${spoken(this.state.x0, 1)}` }),
    });
    plot.front.append(this.here, this.there, this.start);
  }

  buildRate() {
    this.factor = new Plot(this.rate, {
      left: 34, top: 20, width: 284, height: 86, x: [0, MAX_RATE], y: [0, 1.5],
      xName: "\\alpha", yName: "|1-2\\alpha|", xTicks: [0, 0.25, 0.5, 0.75, 1, 1.25], yTicks: [0, 0.5, 1, 1.5],
    });
    const { factor } = this;
    factor.back.append(
      s("rect", { x: factor.X(1), y: factor.top, width: factor.X(MAX_RATE) - factor.X(1), height: factor.height, class: "x-danger" }),
      s("path", { d: factor.path([[0, 1], [MAX_RATE, 1]]), class: "x-join" }),
      s("path", { d: factor.path([[0, 1], [0.5, 0], [MAX_RATE, 1.5]]), class: "x-stroke x-blue" }),
    );
    this.grip = handle(this.rate, {
      label: "learning rate", hue: "blue",
      place: () => [factor.X(this.state.lr), factor.Y(Math.abs(1 - 2 * this.state.lr))],
      move: (px) => this.put({ lr: factor.unX(px) }),
      nudge: (dx, dy) => this.put({ lr: this.state.lr + (dx + dy) / 100 }),
      value: () => ({ now: this.state.lr, min: 0.01, max: MAX_RATE, text: `learning rate ${fmt(this.state.lr)}, factor ${spoken(1 - 2 * this.state.lr)}` }),
    });
    factor.front.append(
      s("text", { x: factor.X(1.125), y: factor.Y(0.28), class: "x-tick x-mid x-red" }, "diverges"),
      this.grip,
    );
  }

  buildTime() {
    this.course = new Plot(this.time, {
      left: 34, top: 20, width: 284, height: 210, x: [0, STEPS], y: [-2, 6], xName: "t", yName: "x_t", xTicks: [0, 5, 10, 15, 20],
    });
    const { course } = this;
    this.track = s("path", { class: "x-stroke x-orange" });
    this.marks = s("g", { class: "x-orange" });
    this.now = s("circle", { r: 5, class: "x-solid x-purple" });
    course.back.append(s("path", { d: course.path([[0, 2], [STEPS, 2]]), class: "x-join" }), this.track, this.marks, this.now);
    course.front.append(s("text", { x: course.X(STEPS) - 4, y: course.Y(2) - 5, class: "x-tick x-end" }, "minimum"));
  }

  put(change) {
    const next = { ...this.state, ...change };
    if (!Object.values(next).every(Number.isFinite)) return;
    next.x0 = clamp(Math.round(next.x0 * 20) / 20, -2, 6);
    next.lr = clamp(Math.round(next.lr * 200) / 200, 0.01, MAX_RATE);
    next.t = clamp(next.t, 0, STEPS - 1);
    this.state = next;
    if (!("t" in change) || Object.keys(change).length > 1) this.stop();
    this.request();
    this.say(`Learning rate ${fmt(next.lr)}. ${verdict(next)}`);
  }

  walk(by) {
    this.stop();
    this.put({ t: this.state.t + by });
  }

  stop() {
    this.playing = null;
    this.run.textContent = "Play";
  }

  toggle() {
    if (this.playing) return this.stop();
    if (this.still) return this.put({ t: STEPS - 1 });
    this.state.t = 0;
    this.run.textContent = "Stop";
    let last = performance.now();
    this.play(() => {
      if (performance.now() - last < 320) return true;
      last = performance.now();
      this.put({ t: this.state.t + 1 });
      if (this.state.t < STEPS - 1) return true;
      this.stop();
      return false;
    });
    this.request();
  }

  draw() {
    const { x0, lr, t } = this.state;
    const path = descend(quadraticPrime, x0, lr, STEPS);
    const [x, slope, after] = [path[t], quadraticPrime(path[t]), path[t + 1]];
    const { plot, course } = this;
    this.chords.setAttribute("d", plot.path(path.map((p) => [p, quadratic(p)])));
    const spot = (p, q, r) => s("circle", { cx: p.toFixed(1), cy: q.toFixed(1), r, class: "x-solid" });
    const seen = path.map((p, i) => [i, p]).filter(([, p]) => p > -3 && p < 7);
    this.dots.replaceChildren(...seen.map(([, p]) => spot(plot.X(p), plot.Y(quadratic(p)), 3)));
    const f = quadratic(x);
    this.tangent.setAttribute("d", plot.path([[x - 1.6, f - 1.6 * slope], [x + 1.6, f + 1.6 * slope]]));
    this.move.setAttribute("d", plot.path([[x, f], [after, f], [after, quadratic(after)]]));
    set(this.here, { cx: clamp(plot.X(x), -1e4, 1e4), cy: clamp(plot.Y(f), -1e4, 1e4) });
    set(this.there, { cx: clamp(plot.X(after), -1e4, 1e4), cy: clamp(plot.Y(quadratic(after)), -1e4, 1e4) });
    for (const [dot, at] of [[this.here, x], [this.there, after]]) dot.style.display = at >= -2 && at <= 6 ? "" : "none";
    this.track.setAttribute("d", course.path(path.map((p, i) => [i, p])));
    this.marks.replaceChildren(...seen.map(([i, p]) => spot(course.X(i), course.Y(p), 3)));
    set(this.now, { cx: course.X(t), cy: clamp(course.Y(x), -1e4, 1e4) });
    const par = (value, digits) => (value < 0 ? `(${fmt(value, digits)})` : fmt(value, digits));
    this.general.replaceChildren(math(`x_{${t + 1}} = x_{${t}} - \\alpha f'(x_{${t}})`));
    this.numbers.replaceChildren(
      math("="), h("b", { class: "x-ink-purple" }, fmt(x, 3)), " − ", h("b", { class: "x-ink-blue" }, fmt(lr, Math.round(lr * 1000) % 10 ? 3 : 2)), " · ",
      h("b", null, par(slope, 3)), " = ", h("b", { class: "x-ink-orange" }, fmt(after, 3)));
    this.verdict.replaceChildren(
      h("b", null, verdict(this.state)), ` Each step multiplies the distance from 2 by ${fmt(1 - 2 * lr)}; after ${STEPS} steps it is ${fmtSmall(Math.abs(path[STEPS] - 2))}.`);
    this.previous.disabled = t === 0;
    this.next.disabled = t === STEPS - 1;
    for (const element of [...this.pills, this.start, this.grip]) element.update();
    Object.assign(this.dataset, { x: x, after, end: path[STEPS] });
  }
}

customElements.get("nnfp-descent") ?? customElements.define("nnfp-descent", Descent);
