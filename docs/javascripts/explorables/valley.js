// Descent in two variables: learning rate, curvature and momentum against the path through a valley.
import { bestRate, bowlMatrix, descendBowl, norm, polyak, stabilityLimit } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, handle, math, range, s, set, spoken } from "./ui.js";

const START = { v: [-2.6, -0.6], lr: 2 / 11, c2: 10, beta: 0 };
const PHI = Math.PI / 6;
const STEPS = 100;
const round = (value) => Math.round(value * 10) / 10;

class Valley extends Explorable {
  build() {
    this.begin = { ...START, beta: Number(this.closest("[data-beta]")?.dataset.beta ?? 0) };
    if (this.begin.beta) Object.assign(this.begin, { c2: 25, ...polyak(1, 25) });
    this.state = structuredClone(this.begin);
    this.map = s("svg", { viewBox: "0 0 330 256", class: "x-svg", role: "group", "aria-label": "The bowl from above with the path" });
    this.time = s("svg", { viewBox: "0 0 330 214", class: "x-svg", role: "img" });
    this.buildMap();
    this.buildTime();
    const named = (words, tex) => h("span", null, words, " ", math(tex));
    const { state } = this;
    this.rate = range({
      label: named("rate", "\\alpha"), min: -2.5, max: 0.3, step: 0.01, value: Math.log10(state.lr),
      show: () => fmt(this.state.lr, 3), change: (p) => this.put({ lr: 10 ** p }),
    });
    this.curvature = range({
      label: named("curvature", "c_2"), min: 0, max: 1.7, step: 0.01, value: Math.log10(state.c2), hue: "purple",
      show: () => fmt(this.state.c2, 1), change: (p) => this.put({ c2: 10 ** p }),
    });
    this.momentum = range({
      label: "momentum", min: 0, max: 0.95, step: 0.01, value: state.beta, hue: "orange",
      show: () => fmt(this.state.beta), change: (beta) => this.put({ beta }),
    });
    this.verdict = h("p", { class: "x-step" });
    this.facts = h("dl", { class: "x-facts" });
    const best = () => this.put({ lr: bestRate(1, this.state.c2), beta: 0 });
    this.append(
      h("div", { class: "x-head" },
        h("p", { class: "x-hint" }, "Drag the start, make the valley narrower, change the rate. Momentum comes in the chapter on optimisers."),
        button("Reset", () => this.put(structuredClone(this.begin)))),
      h("div", { class: "x-two" },
        h("div", null, this.map),
        h("div", { class: "x-column" },
          h("div", { class: "x-group" }, this.rate, this.curvature, this.momentum),
          h("div", { class: "x-line" }, button("Best plain rate", best), button("Best with momentum", () => this.put(polyak(1, this.state.c2)))),
          h("div", { class: "x-equation" }, h("p", null, math("\\t{velocity} \\leftarrow"), " ", math("\\t{momentum} \\cdot \\t{velocity}"), " ", math("+ \\nabla g(\\theta)")), h("p", null, math("\\theta \\leftarrow \\theta - \\alpha \\cdot \\t{velocity}")))),
        h("div", null, this.time),
        h("div", { class: "x-column" }, this.verdict, this.facts)),
    );
  }

  buildMap() {
    this.plot = new Plot(this.map, { left: 30, top: 20, width: 288, height: 204, x: [-4.8, 4.8], y: [-3.4, 3.4], xName: "\\theta_1", yName: "\\theta_2", xTicks: [-4, -2, 0, 2, 4], yTicks: [-2, 0, 2] });
    const { plot } = this;
    this.rings = Array.from({ length: 7 }, () => s("ellipse", { class: "x-thin" }));
    const turn = `translate(${plot.X(0)} ${plot.Y(0)}) rotate(${-30})`;
    this.without = s("path", { class: "x-thin" });
    this.track = s("path", { class: "x-stroke x-blue" });
    this.dots = s("g", { class: "x-blue" });
    plot.back.append(
      s("g", { transform: turn }, this.rings),
      s("path", { d: `M${plot.X(0) - 6} ${plot.Y(0)}h12m-6 -6v12`, class: "x-stroke x-fg" }),
      this.without, this.track, this.dots,
    );
    this.dot = handle(this.map, {
      label: "start", hue: "orange",
      place: () => [plot.X(this.state.v[0]), plot.Y(this.state.v[1])],
      move: (px, py) => this.put({ v: [plot.unX(px), plot.unY(py)] }),
      nudge: (dx, dy) => this.put({ v: [this.state.v[0] + dx / 10, this.state.v[1] + dy / 10] }),
      value: () => ({ now: this.state.v[0], min: -4.6, max: 4.6, text: `start ${this.state.v.map((a) => spoken(a, 1)).join(", ")}` }),
    });
    plot.front.append(this.dot);
  }

  buildTime() {
    this.course = new Plot(this.time, { left: 40, top: 20, width: 278, height: 160, x: [0, STEPS], y: [-4, 2], log: true, xName: "\\t{step}", yName: "\\t{distance from the bottom}", yTicks: [-4, -2, 0, 2] });
    const { course } = this;
    this.goal = s("path", { class: "x-join" });
    this.plain = s("path", { class: "x-thin" });
    this.fall = s("path", { class: "x-stroke x-blue" });
    course.back.append(this.goal, this.plain, this.fall);
  }

  put(change) {
    const next = { ...this.state, ...change };
    if (![...next.v, next.lr, next.c2, next.beta].every(Number.isFinite)) return;
    next.v = [clamp(round(next.v[0]), -4.6, 4.6), clamp(round(next.v[1]), -3.2, 3.2)];
    next.lr = clamp(next.lr, 10 ** -2.5, 2);
    next.c2 = clamp(next.c2, 1, 50);
    next.beta = clamp(next.beta, 0, 0.95);
    this.state = next;
    this.rate.put(Math.log10(next.lr));
    this.curvature.put(Math.log10(next.c2));
    this.momentum.put(next.beta);
    this.request();
    this.say(`${this.judge()} Rate ${fmt(next.lr, 3)}.`);
  }

  path(beta = this.state.beta) {
    const { v, lr, c2 } = this.state;
    return descendBowl(bowlMatrix(1, c2, PHI), v, lr, beta, STEPS);
  }

  judge(path = this.path()) {
    const lengths = path.map(norm);
    if (lengths[0] === 0) return "It starts at the bottom.";
    const [early, late] = [Math.max(...lengths.slice(40, 60)), Math.max(...lengths.slice(80))];
    if (late > early * 1.001 && late > 1e-9) return "Runs away.";
    const first = lengths.findIndex((length) => length < lengths[0] / 100);
    return first < 0 ? "Still on its way after 100 steps." : `A hundredth of the distance after ${first} ${first === 1 ? "step" : "steps"}.`;
  }

  draw() {
    const { lr, c2, beta } = this.state;
    const { plot, course } = this;
    const unit = plot.width / 9.6;
    this.rings.forEach((ring, i) => set(ring, { rx: (unit * (i + 0.7) * 0.9).toFixed(1), ry: ((unit * (i + 0.7) * 0.9) / Math.sqrt(c2)).toFixed(1) }));
    const path = this.path();
    const plain = beta > 0 ? this.path(0) : [];
    this.track.setAttribute("d", plot.path(path));
    this.without.setAttribute("d", plot.path(plain));
    const seen = path.slice(1, 61).filter((v) => Math.abs(v[0]) < 5 && Math.abs(v[1]) < 4);
    this.dots.replaceChildren(...seen.map((v) => s("circle", { cx: plot.X(v[0]).toFixed(1), cy: plot.Y(v[1]).toFixed(1), r: 2.6, class: "x-solid" })));
    const lengths = path.map(norm);
    const points = (list) => list.map((v, t) => [t, Math.max(norm(v), 1e-12)]);
    this.fall.setAttribute("d", course.path(points(path)));
    this.plain.setAttribute("d", course.path(points(plain)));
    const goal = Math.max(lengths[0] / 100, 1e-12);
    this.goal.setAttribute("d", course.path([[0, goal], [STEPS, goal]]));
    const verdict = this.judge(path);
    this.verdict.textContent = verdict;
    this.time.setAttribute("aria-label", `Distance from the bottom over ${STEPS} steps, on a logarithmic axis. ${verdict}`);
    const fact = (term, value) => [h("dt", null, term), h("dd", null, value)];
    this.facts.replaceChildren(
      ...fact("condition number", fmt(c2, 1)),
      ...fact("limit of the plain rate", fmt(stabilityLimit(1, c2), 3)),
      ...fact("best plain rate", fmt(bestRate(1, c2), 3)),
      ...fact("distance after 100 steps", fmtSmall(lengths[STEPS])),
      ...(beta > 0 ? fact("without momentum (grey)", fmtSmall(norm(plain[STEPS]))) : []),
    );
    this.dot.update();
    Object.assign(this.dataset, { lr, end: lengths[STEPS], verdict });
  }
}

customElements.get("nnfp-valley") ?? customElements.define("nnfp-valley", Valley);
