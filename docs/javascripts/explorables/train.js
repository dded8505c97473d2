// Train a network in the page: on points of two classes in the plane, or on a function of one input.
import { backward, forward, mse, mseGradient, sgdStep, size } from "./core.js";
import { Explorable, Plot, button, clamp, fmt, fmtSmall, h, handle, math, range, s, select, spoken } from "./ui.js";

const NAMES = { tanh: "tanh", relu: "ReLU", sigmoid: "sigmoid", silu: "SiLU", softplus: "softplus", identity: "none" };
const LAYERS = { 4: "4", 8: "8", 16: "16", "8,8": "8, 8", "16,16": "16, 16", "8,8,8": "8, 8, 8", "": "no hidden layer" };
const SETS = {
  rings: "rings", xor: "four corners", moons: "moons", spiral: "spiral",
  parabola: "parabola", wave: "wave", stairs: "step",
};
const SETTINGS = { set: "parabola", layers: "8", f: "relu", lr: 0.3 };
const CALM = 0.1; // the chapter's rate is too high for many other networks and data
const FIRST_SEED = 9;
const AT_ONCE = 300; // steps for a reader who wants no movement
const PLANE = { x: [-2, 2], y: [-2, 2] };
const LINE = { x: [-1.3, 1.3], y: [-0.8, 1.8] };
const CELLS = 44;
const MOST = 300;
const isPlane = (name) => ["rings", "xor", "moons", "spiral"].includes(name);

// Random numbers that are the same at each visit.
function randomness(seed) {
  let state = (seed * 2654435761) >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

// Points as [x, y] with the target behind: 1 and -1 for the classes, the value for a function.
function points(name) {
  const { uniform, normal } = randomness(7);
  const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));
  switch (name) {
    case "rings": return many(120, (i) => {
      const [r, a] = [i % 2 ? 0.75 * Math.sqrt(uniform()) : 1.2 + 0.55 * uniform(), 2 * Math.PI * uniform()];
      return [r * Math.cos(a), r * Math.sin(a), i % 2 ? 1 : -1];
    });
    case "xor": return many(120, () => {
      const [x, y] = [0, 0].map(() => (uniform() < 0.5 ? -1 : 1) * (0.15 + 1.6 * uniform()));
      return [x, y, x * y > 0 ? 1 : -1];
    });
    case "moons": return many(120, (i) => {
      const [a, side] = [Math.PI * uniform(), i % 2 ? 1 : -1];
      return [side * (Math.cos(a) * 1.1 - 0.5) + 0.1 * normal(), side * (Math.sin(a) * 1.2 - 0.35) + 0.1 * normal(), side];
    });
    case "spiral": return many(140, (i) => {
      const [t, side] = [(i >> 1) / 70, i % 2 ? 1 : -1];
      const [r, a] = [0.15 + 1.6 * t, 5.4 * t];
      return [side * r * Math.cos(a) + 0.03 * normal(), side * r * Math.sin(a) + 0.03 * normal(), side];
    });
    case "wave": return many(24, (i) => [-1.2 + (2.4 * i) / 23, 0.5 + 0.6 * Math.sin(((-1.2 + (2.4 * i) / 23)) * 4.2)]);
    case "stairs": return many(20, (i) => [-1.2 + (2.4 * i) / 19, i < 10 ? 0 : 1]);
    default: return many(9, (i) => [-1 + i / 4, (-1 + i / 4) ** 2]);
  }
}

class Train extends Explorable {
  build() {
    this.begin = { ...SETTINGS, ...this.closest("[data-explorable]")?.dataset };
    this.state = { set: this.begin.start ?? SETTINGS.set, layers: SETTINGS.layers, f: SETTINGS.f, lr: SETTINGS.lr };
    this.seed = FIRST_SEED;
    this.brush = 1;
    this.cursor = [0.5, 0.5];
    this.canvas = h("canvas", { class: "x-canvas", width: CELLS, height: CELLS, "aria-hidden": "true" });
    this.svg = s("svg", { viewBox: "0 0 330 310", class: "x-svg x-paper", role: "group", "aria-label": "Data and what the network makes of it" });
    this.plot = new Plot(this.svg, { left: 40, top: 20, width: 258, height: 258, ...LINE });
    this.guess = s("path", { class: "x-stroke x-blue" });
    this.dots = s("g");
    this.plot.back.append(this.guess, this.dots);
    const { plot } = this;
    this.pen = handle(this.svg, {
      label: "pen: Enter adds a point here", hue: "purple",
      place: () => [plot.left + this.cursor[0] * plot.width, plot.top + (1 - this.cursor[1]) * plot.height],
      move: (px, py) => this.movePen((px - plot.left) / plot.width, 1 - (py - plot.top) / plot.height),
      nudge: (dx, dy) => this.movePen(this.cursor[0] + dx / 40, this.cursor[1] + dy / 40),
      value: () => ({ now: this.cursor[0], min: 0, max: 1, text: this.penAt().map((v) => spoken(v, 1)).join(", ") }),
    });
    this.pen.classList.add("x-pen");
    this.pen.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.add(...this.penAt());
    });
    plot.front.append(this.pen);
    let pressed = [0, 0];
    this.svg.addEventListener("pointerdown", (event) => (pressed = [event.clientX, event.clientY]), { capture: true });
    this.svg.addEventListener("click", (event) => {
      const way = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]);
      if (this.pen.contains(event.target) && way > 5) return; // the pen was moved, not pressed
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
      const [x, y] = [plot.unX(at.x), plot.unY(at.y)];
      if (x >= plot.x[0] && x <= plot.x[1] && y >= plot.y[0] && y <= plot.y[1]) this.add(x, y);
    });
    const choose = (key) => (value) => {
      if (this.state.lr === SETTINGS.lr) this.state.lr = CALM;
      this.rate.put(Math.log10(this.state.lr));
      this.change({ [key]: value });
    };
    this.choices = {
      set: select("data", SETS, this.state.set, choose("set")),
      layers: select("hidden layers", LAYERS, this.state.layers, choose("layers")),
      f: select("activation", NAMES, this.state.f, choose("f")),
    };
    this.rate = range({
      label: h("span", null, "rate ", math("\\alpha")), min: -3, max: 0.5, step: 0.05, value: Math.log10(this.state.lr),
      show: () => fmt(this.state.lr, this.state.lr < 0.0995 ? 3 : 2), change: (p) => (this.state.lr = 10 ** p),
    });
    this.go = button("Train", () => this.toggle(), { class: "x-button is-main" });
    this.one = button("One step", () => this.halt(() => this.learn()));
    this.brushes = [1, -1].map((side) =>
      button(side > 0 ? "blue" : "orange", () => {
        this.brush = side;
        this.request();
      }));
    this.paint = h("div", { class: "x-line", role: "group", "aria-label": "Colour of new points" }, h("span", { class: "x-hint" }, "new points:"), this.brushes);
    this.numbers = h("p", { class: "x-step" });
    this.append(
      h("div", { class: "x-head" },
        h("p", { class: "x-hint" }, "Press Train. Click into the picture to add points, or move the pen and press Enter."),
        button("Reset", () => this.reset())),
      h("div", { class: "x-two" },
        h("div", { class: "x-stack" }, this.canvas, this.svg),
        h("div", { class: "x-column" },
          h("div", { class: "x-form" }, this.choices.set, this.choices.layers, this.choices.f, this.rate),
          h("div", { class: "x-line" }, this.go, this.one, button("New weights", () => this.halt(() => this.weigh((this.seed += 1)))), button("Clear points", () => this.clear())),
          this.numbers, this.paint),
        h("div", null, this.buildCurve("curve", "\\t{loss}", "x-purple")),
        h("div", null, this.buildCurve("norms", "\\t{length of the gradient, layer}", ""))),
    );
    this.change({});
    this.warm();
  }

  // The state of the drawn figure: a number of steps taken already.
  warm() {
    for (let n = 0; n < Number(this.begin.steps ?? 0); n += 1) this.learn();
    this.halt(() => {});
  }

  buildCurve(name, title) {
    const svg = s("svg", { viewBox: "0 0 330 168", class: "x-svg", role: "img" });
    this[name] = new Plot(svg, { left: 40, top: 20, width: 278, height: 112, x: [0, 100], y: [-4, 1], log: true, xName: "\\t{step}", yName: title });
    this[name].lines = s("g");
    this[name].svg = svg;
    this[name].back.append(this[name].lines);
    return svg;
  }

  // --- what the reader changes ---

  change(change) {
    this.halt();
    Object.assign(this.state, change);
    if ("set" in change || !this.data) this.data = points(this.state.set);
    this.plot.rule(...Object.values(isPlane(this.state.set) ? PLANE : LINE));
    this.weigh();
  }

  reset() {
    const { set, ...rest } = { ...SETTINGS, set: this.begin.start ?? SETTINGS.set };
    this.seed = FIRST_SEED;
    for (const [key, choice] of Object.entries(this.choices)) choice.box.value = { set, ...rest }[key];
    this.change({ set, ...rest });
    this.rate.put(Math.log10(rest.lr));
    this.warm();
  }

  clear() {
    this.halt();
    this.data = [];
    this.weigh();
  }

  add(x, y) {
    if (!Number.isFinite(x + y)) return;
    this.note = this.data.length < MOST ? "" : `${MOST} points: there is room for no more.`;
    this.request();
    if (this.note) return this.say(this.note);
    this.data.push(isPlane(this.state.set) ? [x, y, this.brush] : [x, y]);
    this.arrange();
    this.say(`${this.data.length} points.`);
  }

  movePen(x, y) {
    this.cursor = [clamp(x, 0, 1), clamp(y, 0, 1)];
    this.request();
  }

  penAt() {
    const { x, y } = this.plot;
    return [x[0] + this.cursor[0] * (x[1] - x[0]), y[0] + this.cursor[1] * (y[1] - y[0])];
  }

  // --- the network ---

  weigh(seed = this.seed) {
    const { normal } = randomness(seed);
    const inputs = isPlane(this.state.set) ? 2 : 1;
    const hidden = this.state.layers ? this.state.layers.split(",").map(Number) : [];
    const sizes = [inputs, ...hidden, 1];
    this.net = { W: [null], b: [null] };
    for (let l = 1; l < sizes.length; l += 1) {
      // He's scale for ReLU, for the others the one of the exercise: docs/forward_pass.md.
      const scale = Math.sqrt((this.state.f === "relu" ? 2 : 1) / sizes[l - 1]);
      this.net.W[l] = Array.from({ length: sizes[l] }, () => Array.from({ length: sizes[l - 1] }, () => scale * normal()));
      this.net.b[l] = Array.from({ length: sizes[l] }, () => [0]);
    }
    this.note = "";
    this.steps = 0;
    this.stride = 1;
    this.history = [];
    this.broken = false;
    this.arrange();
    this.look();
    this.request();
  }

  // The points as columns.
  arrange() {
    const inputs = isPlane(this.state.set) ? 2 : 1;
    this.X = Array.from({ length: inputs }, (_, j) => this.data.map((p) => p[j]));
    this.Y = [this.data.map((p) => p[inputs])];
  }

  // The forward pass over the points. The last one is kept: the next step and the drawing need it too.
  trace(net = this.net) {
    const { X } = this;
    if (this.kept?.net !== net || this.kept.X !== X) this.kept = { net, X, trace: forward(net, X, this.state.f) };
    return this.kept.trace;
  }

  // One step of descent on all points. False if it left the numbers that can be shown.
  learn() {
    if (!this.data.length || this.broken) return false;
    this.note = "";
    const trace = this.trace();
    const Yhat = trace.A.at(-1);
    const gradients = backward(this.net, trace, mseGradient(Yhat, this.Y), this.state.f);
    const lengths = gradients.dW.slice(1).map(size);
    const next = sgdStep(this.net, gradients, this.state.lr);
    const ahead = this.trace(next);
    const loss = mse(ahead.A.at(-1), this.Y);
    if (!(loss < 1e9)) {
      this.broken = true;
      return false;
    }
    this.net = next;
    this.steps += 1;
    if (this.steps % this.stride === 0) this.history.push([this.steps, loss, ...lengths]);
    if (this.history.length > 240) {
      this.history = this.history.filter((_, i) => i % 2);
      this.stride *= 2;
    }
    return true;
  }

  halt(action) {
    this.playing = null;
    this.go.textContent = "Train";
    if (!action) return;
    action();
    this.look();
    this.request();
  }

  toggle() {
    if (this.playing) {
      this.halt(() => {});
      return;
    }
    if (this.still) {
      for (let n = 0; n < AT_ONCE && this.learn(); n += 1);
      this.halt(() => {});
      this.say(this.summary());
      return;
    }
    this.go.textContent = "Stop";
    let frame = 0;
    this.play(() => {
      // As many steps as fit into a frame, but not so many that nothing can be followed. A frame
      // either computes or draws, and draws one thing: painting takes the browser longer than us.
      const now = performance.now();
      const drawn = (frame += 1) % 2;
      for (let n = 0; n < 12 && (n === 0 || performance.now() < now + (drawn ? 1 : 4)); n += 1) {
        if (!this.learn()) {
          this.halt(() => {});
          return false;
        }
      }
      if (!drawn) this.look(now + 7);
      else if (frame % 3) this.drawPicture();
      else this.drawNumbers(frame % 12 === 3 ? "curve" : "norms");
      return this.steps < 50000 || this.halt(() => {}) || false;
    });
  }

  // What the network says at each place of the picture: row by row until the time is up, and the
  // next call goes on. All rows of a picture come from the same weights.
  look(until = Infinity) {
    const { x, y } = this.plot;
    if (!isPlane(this.state.set)) {
      const grid = Array.from({ length: 131 }, (_, i) => x[0] + (i / 130) * (x[1] - x[0]));
      const [Yhat] = forward(this.net, [grid], this.state.f).A.at(-1);
      this.seen = grid.map((v, i) => [v, Yhat[i]]);
      return;
    }
    const at = ([low, high], i) => low + ((i + 0.5) / CELLS) * (high - low);
    if (until === Infinity || !this.sweep) this.sweep = { net: this.net, rows: [] };
    const { net, rows } = this.sweep;
    const across = Array.from({ length: CELLS }, (_, i) => at(x, i));
    do {
      const height = at(y, CELLS - 1 - rows.length);
      rows.push(forward(net, [across, across.map(() => height)], this.state.f).A.at(-1)[0]);
    } while (rows.length < CELLS && performance.now() < until);
    if (rows.length < CELLS) return;
    this.sweep = null;
    this.surface = rows.flat();
    this.fresh = true;
  }

  repaint() {
    const context = this.canvas.getContext("2d");
    if (!isPlane(this.state.set) || !this.surface) return;
    const [blue, orange] = [this.colour("blue"), this.colour("orange")];
    const image = context.createImageData(CELLS, CELLS);
    this.surface.forEach((value, i) => {
      const strength = Math.min(Math.abs(value), 1.2) / 1.2;
      [image.data[i * 4], image.data[i * 4 + 1], image.data[i * 4 + 2]] = value >= 0 ? blue : orange;
      image.data[i * 4 + 3] = Math.round(150 * strength);
    });
    context.putImageData(image, 0, 0);
  }

  drawPicture() {
    const plane = isPlane(this.state.set);
    if (plane && this.fresh) this.repaint();
    this.fresh = false;
    this.guess.setAttribute("d", plane || !this.seen ? "" : this.plot.path(this.seen));
  }

  drawNumbers(...curves) {
    const loss = this.data.length ? mse(this.trace().A.at(-1), this.Y) : 0;
    this.numbers.textContent = this.note || this.summary();
    Object.assign(this.dataset, { steps: this.steps, loss, points: this.data.length, broken: this.broken });
    if (curves.includes("curve")) this.drawCurve(this.curve, 1, 2, ["x-purple"]);
    if (curves.includes("norms")) this.drawCurve(this.norms, 2, 99, ["x-blue", "x-orange", "x-green", "x-red"]);
  }

  draw() {
    const { plot } = this;
    const plane = isPlane(this.state.set);
    this.canvas.style.display = plane ? "" : "none";
    this.paint.style.visibility = plane ? "" : "hidden";
    this.drawPicture();
    const drawn = `${this.state.set} ${this.data.length} ${this.X?.[0]?.[0]}`;
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.dots.replaceChildren(...this.data.map((p) =>
        s("circle", { cx: plot.X(p[0]).toFixed(1), cy: plot.Y(p[1]).toFixed(1), r: plane ? 4 : 4.5, class: `x-solid x-edge ${p[2] > 0 ? "x-blue" : "x-orange"}` })));
    }
    this.brushes.forEach((brush, i) => {
      const on = this.brush === [1, -1][i];
      brush.classList.toggle("is-on", on);
      brush.setAttribute("aria-pressed", on);
    });
    this.drawNumbers("curve", "norms");
    this.go.disabled = this.one.disabled = !this.data.length || this.broken;
    this.curve.svg.setAttribute("aria-label", `Loss on a logarithmic axis, ${this.steps} steps`);
    this.norms.svg.setAttribute("aria-label", "Length of the gradient of each layer's weights, on a logarithmic axis");
    this.pen.update();
  }

  summary() {
    if (!this.data.length) return "No points. Add some.";
    if (this.broken) return "Diverged: lower the rate, then take new weights.";
    const Yhat = this.trace().A.at(-1);
    const right = this.data.filter((p, k) => Yhat[0][k] * p[2] > 0).length;
    const rest = isPlane(this.state.set) ? `, ${right} of ${this.data.length} right` : "";
    return `step ${this.steps}, loss ${fmtSmall(mse(Yhat, this.Y), 4)}${rest}`;
  }

  // The numbers of the layers, in the colours of their lines, behind the title.
  nameLayers(plot, hues) {
    const layers = this.net.W.length - 1;
    if (plot.named === layers) return;
    plot.named = layers;
    const title = plot.names.lastChild;
    title.replaceChildren("length of the gradient, layer ", ...hues.slice(0, layers).map((hue, i) => s("tspan", { class: hue, "font-weight": 700 }, ` ${i + 1}`)));
  }

  drawCurve(plot, from, to, hues) {
    const rows = this.history;
    const values = rows.flatMap((row) => row.slice(from, to)).filter((v) => v > 0);
    const logs = values.length ? values.map(Math.log10) : [-1, 0];
    const low = Math.max(Math.floor(Math.min(...logs)), -12);
    const high = Math.max(Math.ceil(Math.max(...logs)), low + 1);
    const power = 10 ** Math.floor(Math.log10(Math.max(this.steps, 100)));
    const last = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= this.steps);
    plot.rule([0, last], [low, high]);
    if (from === 2) this.nameLayers(plot, hues);
    const count = rows.length ? Math.min(to, rows[0].length) - from : 0;
    while (plot.lines.children.length > count) plot.lines.lastChild.remove();
    while (plot.lines.children.length < count) plot.lines.append(s("path"));
    [...plot.lines.children].forEach((line, i) => {
      line.setAttribute("class", `x-stroke ${hues[i % hues.length]}`);
      line.setAttribute("d", plot.path(rows.map((row) => [row[0], Math.max(row[from + i], 1e-12)])));
    });
  }
}

customElements.get("nnfp-train") ?? customElements.define("nnfp-train", Train);
