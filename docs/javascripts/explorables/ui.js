// What the explorables share: elements, formulas, numbers that can be dragged, axes.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

export const h = (tag, attributes, ...children) =>
  fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// A number as it stands in a formula: a true minus, never "-0.00", never NaN.
export function fmt(value, digits = 2) {
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  if (size >= 1e5) return (value < 0 ? "−" : "") + size.toExponential(1).replace("e+", "e");
  const text = size.toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

// Small sizes too: 0.00012 instead of 0.00.
export function fmtSmall(value, digits = 3) {
  const size = Math.abs(value);
  if (size === 0 || (size >= 10 ** -digits && size < 1e5)) return fmt(value, digits);
  if (!Number.isFinite(value)) return fmt(value);
  return (value < 0 ? "−" : "") + size.toExponential(1).replace("e+", "e").replace("e-", "e−");
}

export const spoken = (value, digits = 2) => fmt(value, digits).replace("−", "minus ");

// A little TeX: w_1 x_1 + \beta, W^{[1]}, f'(z), \t{tanh}. Letters slant, the rest stands.
const GREEK = { theta: "θ", alpha: "α", beta: "β", delta: "δ", lambda: "λ", mu: "μ", kappa: "κ", nabla: "∇" };
const SIGNS = { leftarrow: "←", cdot: "·", odot: "⊙", top: "⊤", le: "≤", lt: "<", L: "ℒ", norm: "‖" };

function read(tex, make, from = { at: 0 }, until = "") {
  const nodes = [];
  const group = () => {
    if (tex[from.at] === "{") {
      from.at += 1;
      return read(tex, make, from, "}");
    }
    return read(tex[from.at++], make);
  };
  while (from.at < tex.length && tex[from.at] !== until) {
    const letter = tex[from.at++];
    if (letter === "\\") {
      const word = /^[a-zA-Z]+/.exec(tex.slice(from.at))[0];
      from.at += word.length;
      if (word === "t") {
        const end = tex.indexOf("}", from.at);
        nodes.push(make.upright(tex.slice(from.at + 1, end)));
        from.at = end + 1;
      } else if (word === "hat") nodes.push(make.italic(group().map((n) => n.textContent).join("") + "\u0302"));
      else nodes.push(word in GREEK ? make.italic(GREEK[word]) : make.upright(SIGNS[word] ?? word));
    } else if (letter === "_" || letter === "^") {
      const parts = { [letter]: group() };
      const other = letter === "_" ? "^" : "_";
      if (tex[from.at] === other) {
        from.at += 1;
        parts[other] = group();
      }
      nodes.push(make.script(parts["_"], parts["^"]));
    } else if (/[a-zA-Z]/.test(letter)) nodes.push(make.italic(letter));
    else if (letter === "'") nodes.push(make.script(null, [make.upright("′")]));
    else nodes.push(make.upright(letter === "-" ? "−" : letter));
  }
  from.at += 1;
  return nodes;
}

const inHtml = {
  italic: (text) => h("i", null, text),
  upright: (text) => h("span", null, text),
  script(sub, sup) {
    if (sub && sup) return h("span", { class: "x-both" }, h("sup", null, sup), h("sub", null, sub));
    return sub ? h("sub", null, sub) : h("sup", null, sup);
  },
};

const inSvg = {
  italic: (text) => s("tspan", { class: "x-i" }, text),
  upright: (text) => s("tspan", null, text),
  script: (sub, sup) =>
    s("tspan", { class: "x-small", "baseline-shift": sub ? "-22%" : "40%" }, sub ?? [], sup ?? []),
};

export const math = (tex, attributes) => h("span", { class: "x-m", ...attributes }, read(tex, inHtml));
export const svgMath = (tex, attributes) =>
  s("text", { ...attributes, class: `x-m ${attributes?.class ?? ""}` }, read(tex, inSvg));

// --- controls ---

const STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };

function drag(element, { start, move, end }) {
  let id = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || id !== null) return;
    event.preventDefault();
    id = event.pointerId;
    element.setPointerCapture(id);
    element.focus({ preventScroll: true });
    element.classList.add("is-held");
    start?.(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId === id) move(event);
  });
  const stop = (event) => {
    if (event.pointerId !== id) return;
    id = null;
    element.classList.remove("is-held");
    end?.(event);
  };
  element.addEventListener("pointerup", stop);
  element.addEventListener("pointercancel", stop);
}

// A number in a formula that is dragged sideways or moved by the arrow keys.
export function scrub({ label, min, max, step = 0.1, digits = 1, get, change, hue = "blue" }) {
  const text = h("span", { class: "x-scrub-text" });
  const element = h(
    "span",
    {
      class: `x-scrub x-${hue}`,
      role: "slider",
      tabindex: 0,
      "aria-label": label,
      "aria-valuemin": min,
      "aria-valuemax": max,
      "aria-orientation": "horizontal",
    },
    text,
  );
  const put = (value) => {
    if (!Number.isFinite(value)) return;
    change(clamp(Number((Math.round(value / step) * step).toFixed(6)), min, max));
  };
  let [from, held] = [0, 0];
  drag(element, {
    start: (event) => ([from, held] = [event.clientX, get()]),
    move: (event) => put(held + (Math.round((event.clientX - from) / 5)) * step),
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Home") put(min);
    else if (event.key === "End") put(max);
    else if (event.key in STEPS) put(get() + STEPS[event.key] * step * (event.shiftKey ? 5 : 1));
    else return;
    event.preventDefault();
  });
  element.update = () => {
    const value = get();
    text.textContent = fmt(value, digits);
    set(element, { "aria-valuenow": value, "aria-valuetext": spoken(value, digits) });
  };
  return element;
}

// A dot in a drawing that is dragged in the plane or moved by the arrow keys. place() gives its
// position in the units of the drawing, move(x, y) asks for another, nudge(dx, dy) for a step.
export function handle(svg, { label, hue = "blue", place, move, nudge, value }) {
  const element = s(
    "g",
    { class: `x-handle x-${hue}`, role: "slider", tabindex: 0, "aria-label": label },
    s("circle", { r: 20, class: "x-hit" }),
    s("circle", { r: 12, class: "x-ring" }),
    s("circle", { r: 7, class: "x-dot" }),
  );
  let grip = { x: 0, y: 0 };
  const point = (event) =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  drag(element, {
    start(event) {
      const at = point(event);
      const own = place();
      grip = { x: at.x - own[0], y: at.y - own[1] };
    },
    move(event) {
      const at = point(event);
      if (Number.isFinite(at.x + at.y)) move(at.x - grip.x, at.y - grip.y);
    },
  });
  element.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? 5 : 1;
    const by = {
      ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
      PageUp: [0, 10], PageDown: [0, -10], Home: [-1000, 0], End: [1000, 0],
    }[event.key];
    if (!by) return;
    nudge(by[0] * size, by[1] * size);
    event.preventDefault();
  });
  element.update = () => {
    const [x, y] = place();
    element.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    const { now, min, max, text } = value();
    set(element, { "aria-valuenow": now, "aria-valuemin": min, "aria-valuemax": max, "aria-valuetext": text });
  };
  return element;
}

let count = 0;
export const unique = (stem) => `x-${stem}-${(count += 1)}`;

export function button(text, click, attributes) {
  return h("button", { type: "button", class: "x-button", onclick: click, ...attributes }, text);
}

export function select(label, options, value, change) {
  const id = unique("select");
  const box = h(
    "select",
    { id, class: "x-select", onchange: () => change(box.value) },
    Object.entries(options).map(([key, text]) =>
      h("option", { value: key, selected: key === value }, text),
    ),
  );
  return Object.assign(h("label", { class: "x-field", for: id }, h("span", null, label), box), { box });
}

// A slider with its name in front and its value behind; scale: how a position becomes a value.
export function range({ label, min, max, step, value, change, show, hue = "blue" }) {
  const id = unique("range");
  const input = h("input", { id, type: "range", min, max, step, class: `x-range x-${hue}` });
  const output = h("output", { for: id });
  input.value = value;
  const tell = () => {
    output.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent.replace("−", "minus "));
  };
  input.addEventListener("input", () => {
    change(Number(input.value));
    tell(); // what is shown may be a value that the change made
  });
  tell();
  const name = typeof label === "string" ? h("span", null, label) : label;
  const field = h("label", { class: "x-slider", for: id }, name, input, output);
  field.put = (position) => {
    input.value = position;
    tell();
  };
  field.input = input;
  return field;
}

// --- axes ---

export function ticks(low, high, wanted = 5) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= raw * 0.999);
  const list = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
    list.push(Number((i * step).toPrecision(12)));
  }
  return list;
}

// How the numbers of an axis are written: all with the same digits, very small ones with a power.
function tickText(list) {
  const largest = Math.max(...list.map(Math.abs));
  if (largest > 0 && largest < 0.01) return (value) => (value === 0 ? "0" : value.toExponential().replace("e-", "e−"));
  const digits = Math.max(0, ...list.map((value) => (String(value).split(".")[1] ?? "").length));
  return (value) => fmt(value, digits);
}

// A frame with axes in a drawing. X and Y turn values into positions, the inverse is unX, unY.
export class Plot {
  constructor(svg, { left, top, width, height, x, y, xName, yName, xTicks, yTicks, log = false }) {
    Object.assign(this, { left, top, width, height, x, y, log, xTicks, yTicks });
    const clip = unique("clip");
    this.axes = s("g", { class: "x-axes" });
    this.back = s("g", { "clip-path": `url(#${clip})` });
    this.front = s("g");
    this.frame = s("rect", { x: left, y: top, width, height, class: "x-frame" });
    this.names = s("g");
    const named = (tex, attributes) =>
      tex.startsWith("\\t{")
        ? s("text", { ...attributes, class: `${attributes.class} x-tick` }, tex.slice(3, -1))
        : svgMath(tex, attributes);
    if (xName) {
      this.names.append(named(xName, { x: left + width, y: top + height + 29, class: "x-name x-end" }));
    }
    if (yName) this.names.append(named(yName, { x: left - 6, y: top - 8, class: "x-name" }));
    svg.append(
      s("clipPath", { id: clip }, s("rect", { x: left, y: top, width, height })),
      this.axes, this.frame, this.back, this.names, this.front,
    );
    this.rule();
  }

  X(value) {
    return this.left + ((value - this.x[0]) / (this.x[1] - this.x[0])) * this.width;
  }

  Y(value) {
    const at = this.log ? Math.log10(value) : value;
    return this.top + this.height - ((at - this.y[0]) / (this.y[1] - this.y[0])) * this.height;
  }

  unX(place) {
    return this.x[0] + ((place - this.left) / this.width) * (this.x[1] - this.x[0]);
  }

  unY(place) {
    return this.y[0] + ((this.top + this.height - place) / this.height) * (this.y[1] - this.y[0]);
  }

  // New bounds, and the lines of the grid with their numbers.
  rule(x = this.x, y = this.y) {
    const key = JSON.stringify([x, y]);
    if (key === this.key) return;
    Object.assign(this, { x, y, key });
    const bottom = this.top + this.height;
    const power = (n) => (n === 0 ? ["1"] : n === 1 ? ["10"] : [`10`, s("tspan", { class: "x-small", dy: "-0.45em" }, fmt(n, 0))]);
    const xs = this.xTicks ?? ticks(...x);
    const ys = this.yTicks ?? (this.log ? ticks(...y, 4).filter(Number.isInteger) : ticks(...y));
    const [showX, showY] = [tickText(xs), tickText(ys)];
    const raw = (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * this.height;
    this.axes.replaceChildren(
      ...xs.flatMap((value) => [
        s("path", { d: `M${this.X(value).toFixed(1)} ${this.top}V${bottom}`, class: "x-grid" }),
        s("text", { x: this.X(value), y: bottom + 15, class: "x-tick x-mid" }, showX(value)),
      ]),
      ...ys.flatMap((value) => [
        s("path", { d: `M${this.left} ${raw(value).toFixed(1)}h${this.width}`, class: "x-grid" }),
        s("text", { x: this.left - 5, y: raw(value) + 4, class: "x-tick x-end" }, this.log ? power(value) : showY(value)),
      ]),
    );
  }

  // A path through points in the plot's units; a broken value lifts the pen. Far away is cut off.
  path(points) {
    let pen = "M";
    let d = "";
    for (const [x, y] of points) {
      const [px, py] = [this.X(x), this.Y(y)];
      if (!Number.isFinite(px) || Number.isNaN(py)) {
        pen = "M";
        continue;
      }
      d += `${pen}${clamp(px, -1e4, 1e4).toFixed(1)} ${clamp(py, -1e4, 1e4).toFixed(1)}`;
      pen = "L";
    }
    return d;
  }
}

// --- the element itself ---

export class Explorable extends HTMLElement {
  connectedCallback() {
    if (!this.status) {
      this.status = h("p", { class: "x-hidden", role: "status" });
      this.classList.add("x");
      this.build();
      this.append(this.status);
    }
    this.awake = true;
    this.watch = new IntersectionObserver((entries) => {
      this.awake = entries.at(-1).isIntersecting; // several may have gathered: the last one holds
      if (this.awake) this.request();
    });
    this.watch.observe(this);
    this.theme = new MutationObserver(() => {
      this.repaint?.();
      this.request();
    });
    this.theme.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
    this.draw();
  }

  disconnectedCallback() {
    this.watch?.disconnect();
    this.theme?.disconnect();
    this.awake = false;
    clearTimeout(this.later);
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
  }

  // Draw with the next frame, once, and only while the reader can see it.
  request() {
    if (this.waiting || !this.isConnected) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.awake) this.draw();
    });
  }

  // Calls step() with each frame until it returns false; sleeps off screen.
  play(step) {
    this.playing = step;
    const tick = () => {
      if (this.playing !== step || !this.isConnected) return;
      if (this.awake && step() === false) {
        this.playing = null;
        this.draw();
        return;
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // The red, green and blue of a colour of the page, for a canvas.
  colour(name) {
    const hex = getComputedStyle(this).getPropertyValue(`--x-${name}`).trim();
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) || 0);
  }

  get still() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  // For a reader who hears the page: once, after the movement has come to rest.
  say(text) {
    clearTimeout(this.later);
    this.later = setTimeout(() => (this.status.textContent = text), 500);
  }
}
