// Exercises that answer back. nnfp.js loads this where a page has an answer form.
//
// First a small language: numbers, arrays and the NumPy that the exercises need, parsed and evaluated
// here, nothing of it ever run as JavaScript. Then the grader, then the forms, then what was solved.
(() => {
  "use strict";

  // ---- Values: an array is { s: shape, d: entries in row-major order }, a number has the shape [];
  // a tuple is { t: [numbers] }.

  class AnswerError extends Error {}
  const fail = (text) => {
    throw new AnswerError(text);
  };
  const size = (shape) => shape.reduce((n, k) => n * k, 1);
  // Whatever is typed is answered at once: so many entries and products are worked out, and no more.
  const MOST = 1e6;
  let spent = 0;
  const spend = (n) => (spent += n) > MOST && fail("That is too much to work out here; the arrays of an exercise are small.");
  const array = (s, d) => (spend(d.length), { s, d });
  const largest = (list, least = 0) => list.reduce((x, y) => Math.max(x, Math.abs(y)), least);
  const number = (x) => ({ s: [], d: [x] });
  const show = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const tight = (shape) => show(shape).replaceAll(" ", "");
  const isArray = (v) => v && Array.isArray(v.s);
  const isTuple = (v) => v && Array.isArray(v.t);
  const shapeText = (shape) => (shape.length ? `an array of shape ${show(shape)}` : "a single number");

  function entries(v, what) {
    if (isTuple(v)) return array([v.t.length], v.t);
    if (!isArray(v)) fail(v && v.layers ? `${what}: say which layer, as in ${v.name}[1]` : `${what} needs an array or a number`);
    return v;
  }

  function broadcast(a, b, f) {
    const n = Math.max(a.s.length, b.s.length);
    const pad = (s) => [...Array(n - s.length).fill(1), ...s];
    const [p, q] = [pad(a.s), pad(b.s)];
    const shape = p.map((k, i) => {
      if (k !== q[i] && k !== 1 && q[i] !== 1) {
        fail(`operands could not be broadcast together with shapes ${tight(a.s)} ${tight(b.s)} `.trim());
      }
      return k === 1 ? q[i] : k;
    });
    const steps = (s) => s.map((k, i) => (k === 1 ? 0 : size(s.slice(i + 1))));
    const [u, v] = [steps(p), steps(q)];
    spend(size(shape));
    const d = Array.from({ length: size(shape) }, (_, at) => {
      let [i, j] = [0, 0];
      for (let axis = n - 1; axis >= 0; axis -= 1) {
        const k = at % shape[axis];
        at = (at - k) / shape[axis];
        i += k * u[axis];
        j += k * v[axis];
      }
      return f(a.d[i], b.d[j]);
    });
    return array(shape, d);
  }

  function transpose(a) {
    if (a.s.length < 2) return a;
    if (a.s.length > 2) fail("arrays here have at most two axes");
    const [m, n] = a.s;
    return array([n, m], Array.from({ length: m * n }, (_, at) => a.d[(at % m) * n + Math.floor(at / m)]));
  }

  function matmul(a, b) {
    for (const [k, v] of [a, b].entries()) {
      if (!v.s.length) {
        fail(`matmul: Input operand ${k} does not have enough dimensions (has 0, gufunc core with signature (n?,k),(k,m?)->(n?,m?) requires 1)`);
      }
    }
    const x = a.s.length === 1 ? array([1, ...a.s], a.d) : a;
    const y = b.s.length === 1 ? array([...b.s, 1], b.d) : b;
    const [m, k] = x.s;
    const [l, n] = y.s;
    if (k !== l) {
      fail(`matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) (size ${l} is different from ${k})`);
    }
    spend(m * k * n + m * n);
    const d = Array(m * n).fill(0);
    for (let i = 0; i < m; i += 1) {
      for (let j = 0; j < n; j += 1) {
        for (let r = 0; r < k; r += 1) d[i * n + j] += x.d[i * k + r] * y.d[r * n + j];
      }
    }
    return array([...(a.s.length === 1 ? [] : [m]), ...(b.s.length === 1 ? [] : [n])], d);
  }

  // Sum, mean, largest, smallest along an axis, or of everything.
  function reduce(f, v, axis, keep) {
    const a = entries(v, "This");
    if (axis === undefined) return array(keep ? a.s.map(() => 1) : [], [f(a.d)]);
    const n = a.s.length;
    if (!Number.isInteger(axis) || axis >= n || axis < -n) fail(`axis ${axis} is out of bounds for array of dimension ${n}`);
    const at = axis < 0 ? axis + n : axis;
    const [before, count, after] = [size(a.s.slice(0, at)), a.s[at], size(a.s.slice(at + 1))];
    const d = [];
    for (let i = 0; i < before; i += 1) {
      for (let j = 0; j < after; j += 1) {
        d.push(f(Array.from({ length: count }, (_, k) => a.d[(i * count + k) * after + j])));
      }
    }
    return array(keep ? a.s.map((k, i) => (i === at ? 1 : k)) : a.s.filter((_, i) => i !== at), d);
  }

  const total = (d) => d.reduce((x, y) => x + y, 0);
  const REDUCE = {
    sum: total,
    mean: (d) => total(d) / d.length,
    max: (d) => d.reduce((x, y) => Math.max(x, y)),
    min: (d) => d.reduce((x, y) => Math.min(x, y)),
    "linalg.norm": (d) => Math.sqrt(total(d.map((x) => x * x))),
  };
  const ENTRY = {
    exp: Math.exp,
    log: Math.log,
    sqrt: Math.sqrt,
    abs: Math.abs,
    tanh: Math.tanh,
    sign: Math.sign,
    square: (x) => x * x,
    log1p: Math.log1p,
    expm1: Math.expm1,
    sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
    relu: (x) => Math.max(x, 0),
  };
  const OPERATORS = {
    "+": (x, y) => x + y,
    "-": (x, y) => x - y,
    "*": (x, y) => x * y,
    "/": (x, y) => x / y,
    "**": (x, y) => x ** y,
    "<": (x, y) => Number(x < y),
    "<=": (x, y) => Number(x <= y),
    ">": (x, y) => Number(x > y),
    ">=": (x, y) => Number(x >= y),
    "==": (x, y) => Number(x === y),
    "!=": (x, y) => Number(x !== y),
  };
  const sizes = (v, name) => {
    const list = isTuple(v) ? v.t : isArray(v) && v.s.length < 2 ? v.d : null;
    if (!list || !list.every((k) => Number.isInteger(k) && k >= 0 && k < 1000)) fail(`${name} needs a shape such as (3, 1)`);
    return list;
  };
  const filled = (shape, x) => (spend(size(shape)), array([...shape], Array(size(shape)).fill(x)));
  const FUNCTIONS = {
    maximum: (a, b) => broadcast(a, b, Math.max),
    minimum: (a, b) => broadcast(a, b, Math.min),
    dot: (a, b) => (a.s.length && b.s.length ? matmul(a, b) : broadcast(a, b, OPERATORS["*"])),
    where: (c, a, b) => {
      const pick = broadcast(broadcast(a, b, (x, y) => [x, y]), c, (pair, yes) => (yes ? pair[0] : pair[1]));
      return pick;
    },
    zeros_like: (a) => filled(a.s, 0),
    ones_like: (a) => filled(a.s, 1),
    transpose,
    matmul,
    outer: (a, b) => matmul(array([a.d.length, 1], a.d), array([1, b.d.length], b.d)),
    kron: (a, b) => {
      const two = (v) => (v.s.length === 2 ? v : fail("kron needs two matrices"));
      const [[m, n], [p, q]] = [two(a).s, two(b).s];
      spend(m * n * p * q);
      const d = Array.from({ length: m * n * p * q }, (_, at) => {
        const [i, j] = [Math.floor(at / (n * q)), at % (n * q)];
        return a.d[Math.floor(i / p) * n + Math.floor(j / q)] * b.d[(i % p) * q + (j % q)];
      });
      return array([m * p, n * q], d);
    },
    diag: (a) => {
      if (a.s.length === 1) return spend(a.s[0] ** 2), array([a.s[0], a.s[0]], Array.from({ length: a.s[0] ** 2 }, (_, k) => (k % (a.s[0] + 1) ? 0 : a.d[k / (a.s[0] + 1)])));
      const n = Math.min(...a.s);
      return array([n], Array.from({ length: n }, (_, k) => a.d[k * (a.s[1] + 1)]));
    },
    array: (a) => a,
    abs: (a) => array(a.s, a.d.map(Math.abs)),
    argmax: (a) => number(a.d.indexOf(REDUCE.max(a.d))),
  };
  const SHAPED = {
    zeros: (v) => filled(sizes(v, "zeros"), 0),
    ones: (v) => filled(sizes(v, "ones"), 1),
    eye: (v) => FUNCTIONS.diag(filled(sizes(v, "eye"), 1)),
    len: (v) => number(isTuple(v) ? v.t.length : entries(v, "len").s[0] ?? fail("a number has no length")),
  };
  function reshape(a, parts) {
    const list = parts.flatMap((v) => entries(v, "reshape").d);
    const [free, rest] = [list.indexOf(-1), size(list.filter((k) => k !== -1))];
    const shape = list.map((k, i) => (i === free ? a.d.length / rest : k));
    if (size(shape) !== a.d.length || !shape.every((k) => Number.isInteger(k) && k >= 0)) {
      fail(`cannot reshape array of size ${a.d.length} into shape ${tight(list)}`);
    }
    return array(shape, a.d);
  }
  const METHODS = ["sum", "mean", "max", "min", "dot", "transpose", "argmax", "reshape"];
  const CONSTANTS = { pi: Math.PI, e: Math.E };
  const ALIAS = { ln: "log", amin: "min", amax: "max", absolute: "abs" };
  const KNOWN = new Set([ENTRY, FUNCTIONS, SHAPED, REDUCE, ALIAS, { reshape }].flatMap(Object.keys));

  // ---- The parser: text to a tree of lists ["op", ...].

  const GREEK = { α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "eps", θ: "theta", κ: "kappa", λ: "lam", μ: "mu", σ: "sigma" };
  const LOOKS = [[/[−–]/g, "-"], [/[·×⋅∗]/g, "*"], [/÷/g, "/"], [/\^(?![T⊤])/g, "**"], [/\^?[⊤ᵀ]|\^T\b/g, ".T"], [/²/g, "**2"],
    [/³/g, "**3"], [/π/g, "pi"], [/≤/g, "<="], [/≥/g, ">="], [/[\u00a0\u2009\u202f]/g, " "]];
  const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/@<>()[\],.=:|√]))/y;

  function parse(source) {
    if (source.length > 2000) fail("That is too long to read here.");
    let text = source.replace(/[αβγδεθκλμσ]/g, (letter) => GREEK[letter]);
    for (const [look, code] of LOOKS) text = text.replace(look, code);
    const tokens = [];
    for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.trimEnd().length; ) {
      const place = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (!match) fail(`I can't read “${text.slice(place).trim().slice(0, 12)}”.`);
      tokens.push(match[1] !== undefined ? { n: Number(match[1]) } : match[2] ? { w: match[2] } : { o: match[3] });
    }
    let at = 0;
    let depth = 0;
    const is = (o) => tokens[at]?.o === o;
    const take = (o) => is(o) && (at += 1) > 0;
    const said = () => {
      const t = tokens[at];
      return t ? `“${t.o ?? t.w ?? t.n}”` : "the end";
    };
    const need = (o) => take(o) || fail(`I expected “${o}” before ${said()}.`);
    const left = (next, ...operators) => {
      let tree = next();
      for (let o = operators.find(is); o; o = operators.find(is)) {
        at += 1;
        tree = [o, tree, next()];
      }
      return tree;
    };
    const compare = () => left(sum, "<", "<=", ">", ">=", "==", "!=");
    const sum = () => left(product, "+", "-");
    const product = () => left(unary, "*", "/", "@");
    const unary = () => {
      if ((depth += 1) > 50) fail("That is nested too deeply.");
      const tree = take("-") ? ["neg", unary()] : take("+") ? unary() : power();
      depth -= 1;
      return tree;
    };
    const power = () => {
      const base = postfix();
      return take("**") ? ["**", base, unary()] : base;
    };
    const list = (end) => {
      const parts = [];
      while (!is(end)) {
        parts.push(compare());
        if (!take(",")) break;
        if (is(end)) parts.trailing = true;
      }
      need(end);
      return parts;
    };
    const call = (start) => {
      const positional = [];
      const named = {};
      while (!is(")")) {
        if (tokens[at]?.w && tokens[at + 1]?.o === "=") {
          const name = tokens[at].w;
          at += 2;
          named[name] = ["True", "False"].includes(tokens[at]?.w) ? ["bool", tokens[at++].w === "True"] : compare();
        } else positional.push(compare());
        if (!take(",")) break;
      }
      need(")");
      return ["call", start, positional, named];
    };
    const postfix = () => {
      let tree = atom();
      for (;;) {
        if (take(".")) {
          const word = tokens[at]?.w ?? fail(`After a dot comes a name, not ${said()}.`);
          at += 1;
          if (tree[0] === "name" && ["np", "numpy", "nnfp"].includes(tree[1])) {
            if (word === "linalg" && !(take(".") && tokens[at]?.w === "norm")) fail("Of np.linalg only norm is known here.");
            tree = ["name", word === "linalg" ? `linalg.${tokens[at++].w}` : word, true];
          } else tree = ["dot", tree, word];
        } else if (take("(")) {
          tree = call(tree);
        } else if (take("[")) {
          const parts = [];
          do {
            let first = is(":") ? null : compare();
            if (take(":")) first = ["slice", first, is(",") || is("]") ? null : compare()];
            parts.push(first);
          } while (take(","));
          need("]");
          tree = ["item", tree, parts];
        } else return tree;
      }
    };
    const atom = () => {
      const token = tokens[at];
      if (!token) fail("Something is missing at the end.");
      at += 1;
      if (token.n !== undefined) {
        if (tokens[at]?.w && tokens[at].w !== "x") fail(`Write a product with a star: ${token.n} * ${tokens[at].w}`);
        return ["num", token.n];
      }
      if (token.w) return ["name", token.w];
      if (token.o === "(") {
        const parts = list(")");
        return parts.length === 1 && !parts.trailing ? parts[0] : ["tuple", ...parts];
      }
      if (token.o === "[") return ["list", ...list("]")];
      if (token.o === "√") return ["call", ["name", "sqrt", true], [is("(") ? atom() : postfix()], {}];
      if (token.o === "|") {
        const inner = compare();
        need("|");
        return ["call", ["name", "abs", true], [inner], {}];
      }
      at -= 1;
      return fail(`I did not expect ${said()} here.`);
    };
    const parts = [compare()];
    while (take(",") && at < tokens.length) parts.push(compare());
    if (at < tokens.length) fail(`I did not expect ${said()} after that.`);
    return parts.length > 1 ? ["tuple", ...parts] : parts[0];
  }

  // ---- Evaluation of a tree with names.

  const own = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

  function stack(parts) {
    if (!parts.length) return array([0], []);
    const rows = parts.map((part) => entries(part, "A list"));
    if (rows.some((row) => String(row.s) !== String(rows[0].s))) fail("the rows of the array differ in length");
    return array([rows.length, ...rows[0].s], rows.flatMap((row) => row.d));
  }

  function item(v, parts, value) {
    if (isTuple(v)) {
      const k = value(parts[0]).d?.[0];
      return number(v.t.at(k) ?? fail("tuple index out of range"));
    }
    const a = entries(v, "An index");
    const isNew = (part) => part[0] === "name" && ["None", "newaxis"].includes(part[1]);
    const place = parts.findIndex(isNew);
    if (place >= 0) {
      const rest = item(a, parts.filter((part) => !isNew(part)), value);
      const shape = [...rest.s];
      shape.splice(parts.slice(0, place).filter((part) => part[0] === "slice").length, 0, 1);
      return array(shape, rest.d);
    }
    if (parts.length > a.s.length) {
      fail(`too many indices for array: array is ${a.s.length}-dimensional, but ${parts.length} were indexed`);
    }
    const axes = a.s.map((n, axis) => {
      const part = parts[axis];
      if (part === undefined) return { list: [...Array(n).keys()], keep: true };
      if (part[0] === "slice") {
        const [from, to] = [part[1], part[2]].map((p) => (p ? value(p).d[0] : undefined));
        return { list: [...Array(n).keys()].slice(from, to), keep: true };
      }
      const k = entries(value(part), "An index").d[0];
      if (!Number.isInteger(k)) fail("an index is a whole number");
      if (k >= n || k < -n) fail(`index ${k} is out of bounds for axis ${axis} with size ${n}`);
      return { list: [k < 0 ? k + n : k], keep: false };
    });
    spend(size(axes.map(({ list }) => list.length)));
    let places = [0];
    for (const [axis, { list }] of axes.entries()) places = places.flatMap((p) => list.map((k) => p * a.s[axis] + k));
    return array(axes.filter((x) => x.keep).map((x) => x.list.length), places.map((p) => a.d[p]));
  }

  function evaluate(tree, names) {
    const value = (t) => evaluate(t, names);
    const [op, x, y, z] = tree;
    if (op === "num") return number(x);
    if (op === "tuple") {
      return { t: tree.slice(1).map((t) => {
        const v = value(t);
        return isArray(v) && !v.s.length ? v.d[0] : fail("a shape holds whole numbers");
      }) };
    }
    if (op === "list") return stack(tree.slice(1).map(value));
    if (op === "name") {
      if (!y && own(names, x)) return names[x];
      if (own(CONSTANTS, x)) return number(CONSTANTS[x]);
      if (KNOWN.has(x)) fail(`${x} is a function: write ${x}(…)`);
      const known = Object.keys(names);
      return fail(`name '${x}' is not defined${known.length ? `; you have ${known.join(", ")}` : ""}`);
    }
    if (op === "neg") {
      const v = entries(value(x), "A minus");
      return array(v.s, v.d.map((n) => -n));
    }
    if (op === "@") return matmul(entries(value(x), "@"), entries(value(y), "@"));
    if (own(OPERATORS, op)) {
      const [a, b] = [value(x), value(y)];
      if (isTuple(a) || isTuple(b)) fail("shapes are not calculated with here");
      return broadcast(entries(a, op), entries(b, op), OPERATORS[op]);
    }
    if (op === "dot") {
      const v = value(x);
      if (y === "shape") return { t: [...entries(v, ".shape").s] };
      const a = entries(v, `.${y}`);
      if (y === "T") return transpose(a);
      if (y === "size") return number(a.d.length);
      if (y === "ndim") return number(a.s.length);
      return fail(METHODS.includes(y) ? `write .${y}() with parentheses` : `.${y} is not known here`);
    }
    if (op === "item") {
      const v = value(x);
      if (v.layers) {
        const k = entries(value(y[0]), "A layer").d[0];
        return own(v.layers, k) ? v.layers[k] : fail(`there is no ${v.name}[${k}]; you have ${Object.keys(v.layers).map((l) => `${v.name}[${l}]`).join(", ")}`);
      }
      return item(v, y, value);
    }
    if (op === "call") return invoke(x, y, z, value, names);
    return fail(`${op} is not known here`);
  }

  function invoke(target, positional, named, value, names) {
    let name = target[1];
    const given = positional.map(value);
    if (target[0] === "dot") {
      name = target[2];
      given.unshift(value(target[1]));
      if (!METHODS.includes(name)) fail(`.${name}() is not known here`);
    } else if (target[0] !== "name") fail("that is no function");
    else if (own(names, name)) fail(`'${name}' is an array: a product is written with *`);
    name = own(ALIAS, name) ? ALIAS[name] : name;
    if (!KNOWN.has(name)) fail(`name '${name}' is not defined`);
    const extra = Object.keys(named).find((key) => !own(REDUCE, name) || !["axis", "keepdims"].includes(key));
    if (extra) fail(`${name}() got an unexpected keyword argument '${extra}'`);
    if (!given.length) fail(`${name} of what?`);
    if (own(REDUCE, name)) {
      // Without np. they are Python's own: its sum is over the first axis, its max is of several numbers too.
      if (target[0] === "name" && !target[2] && !Object.keys(named).length) {
        if (given.length > 1 && name === "sum") fail("write np.sum(…, axis=…)");
        if (given.length > 1 && name !== "mean") {
          if (given.some((v) => !isArray(v) || v.s.length)) fail(`write np.${name}imum(a, b)`);
          return number(REDUCE[name](given.map((v) => v.d[0])));
        }
        if (name === "sum" && given[0].s?.length > 1) return reduce(total, given[0], 0);
      }
      if (name === "linalg.norm" && given[1]) fail("norm takes axis=… here and nothing else");
      const axis = named.axis ? value(named.axis) : given[1];
      if (axis && (!isArray(axis) || axis.s.length)) fail("axis is one number here");
      const keep = named.keepdims?.[1] === true;
      return reduce(REDUCE[name], given[0], axis?.d[0], keep);
    }
    if (own(ENTRY, name)) {
      if (given.length !== 1) fail(`${name} takes one argument, got ${given.length}`);
      const a = entries(given[0], name);
      return array(a.s, a.d.map(ENTRY[name]));
    }
    if (name === "reshape") return reshape(entries(given[0], ".reshape"), given.slice(1));
    const f = own(SHAPED, name) ? SHAPED[name] : FUNCTIONS[name];
    const wanted = f.length;
    if (given.length !== wanted) fail(`${name} takes ${wanted} argument${wanted > 1 ? "s" : ""}, got ${given.length}`);
    return f(...(own(SHAPED, name) ? given : given.map((v) => entries(v, name))));
  }

  // ---- The grader.

  function generator(seed) {
    let a = seed >>> 0;
    return () => {
      a = (a + 0x6d2b79f5) >>> 0;
      let t = Math.imul(a ^ (a >>> 15), a | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function draw(given, seed) {
    const next = generator(seed);
    const names = {};
    for (const g of given) {
      const shape = g.shape ?? [];
      const low = g.positive ? 0.2 : -2;
      const v = "value" in g ? number(g.value) : array([...shape], Array.from({ length: size(shape) }, () => low + (2 - low) * next()));
      if (g.layer === undefined) names[g.name] = v;
      else (names[g.name] ??= { name: g.name, layers: {} }).layers[g.layer] = v;
    }
    return names;
  }

  const flat = (v) => (isTuple(v) ? { s: [v.t.length], d: v.t, tuple: true } : v);
  const shapeOf = (v) => String(flat(v).s);

  function same(a, b, within) {
    if (isTuple(a) !== isTuple(b) || shapeOf(a) !== shapeOf(b)) return false;
    const [x, y] = [flat(a).d, flat(b).d];
    const scale = largest(y, 1e-300);
    return y.every((n, k) => Math.abs(x[k] - n) <= (within ? within * (1 + 1e-9) : 1e-9 * scale));
  }

  // The one number by which all entries of all tries differ, or undefined; one try alone with `each`.
  function ratio(found, right, each = false) {
    let r;
    for (const [k, v] of right.entries()) {
      if (each) r = undefined;
      const [x, y] = [flat(found[k]).d, flat(v).d];
      const scale = largest(y);
      for (const [i, n] of y.entries()) {
        if (Math.abs(n) < 1e-6 * scale || !scale) {
          if (Math.abs(x[i]) > 1e-9 * Math.max(scale, 1)) return undefined;
          continue;
        }
        const q = x[i] / n;
        if (!Number.isFinite(q) || (r !== undefined && Math.abs(q - r) > 1e-7 * Math.abs(r))) return undefined;
        r ??= q;
      }
    }
    return r;
  }

  // A whole number that the sizes of the arrays explain: 2, B = 7, n·B = 35, ...
  function factorText(r, given) {
    const [q, inverse] = Math.abs(r) >= 1 ? [Math.abs(r), false] : [1 / Math.abs(r), true];
    const near = (k) => Math.abs(q - k) < 1e-6 * k;
    const sign = r < 0 ? " and the sign is turned" : "";
    const dims = [...new Set(given.flatMap((g) => g.shape ?? []))].filter((k) => k > 1);
    const products = dims.flatMap((a) => dims.map((b) => a * b));
    if (dims.some(near) || products.some(near)) {
      const k = Math.round(q);
      return inverse
        ? `It is ${k} times too small${sign}: ${k} is a number of entries, so this looks like a mean where a sum is asked for, or a division that was done before.`
        : `It is ${k} times too large${sign}: ${k} is a number of entries, so this looks like a sum where a mean is asked for, or a missing 1/${k}.`;
    }
    if (near(2)) return `It is ${inverse ? "half" : "twice"} the right value${sign}. Is there a square whose slope brings a 2?`;
    const text = Number(q.toPrecision(4));
    return `It is ${text} times too ${inverse ? "small" : "large"}${sign}: one factor is ${inverse ? "missing" : "too much"}.`;
  }

  const canonical = (tree) => JSON.stringify(tree);
  const attempt = (text, trials) => {
    const tree = parse(text);
    spent = 0;
    const result = (v) => (isTuple(v) ? v : entries(v, "The answer"));
    try {
      return { tree: canonical(tree), values: trials.map((names) => result(evaluate(tree, names))) };
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      return { tree: canonical(tree), error: error.message };
    }
  };

  function clean(kind, text) {
    let t = text.trim().replace(/;$/, "");
    if (kind === "number") t = t.replace(/^(?:[A-Za-z_]\w*\s*)=\s*/, "");
    if (kind === "shape") {
      t = t.replace(/[[\]]/g, (c) => (c === "[" ? "(" : ")")).replace(/(\d)\s*(?:x|×|by)\s*(?=\d)/gi, "$1, ");
      if (/^\d+$/.test(t)) t = `(${t},)`;
    }
    if (kind === "expression") t = t.replace(/^[A-Za-z_]\w*(?:\[\d\])?\s*=(?!=)\s*/, "");
    return t;
  }

  // What a typed number can mean, the likeliest first: 1,234 is 1234 or 1.234, and 18.75 % of a fraction is 0.1875.
  function readings(kind, text, large) {
    const t = clean(kind, text);
    if (kind !== "number") return [t];
    const bare = t.replace(/\s*%$/, "");
    const list = [];
    if (/^[-−+]?[1-9]\d{0,2}([,\u2009\u202f ]\d{3})+(\.\d+)?$/.test(bare)) list.push(bare.replace(/[,\u2009\u202f ]/g, ""));
    if (/^[-−+]?\d+,\d+$/.test(bare)) list.push(bare.replace(",", "."));
    if (!list.length) list.push(bare);
    if (bare === t) return list;
    const parts = list.map((one) => `(${one}) / 100`);
    return large ? [...list, ...parts] : [...parts, ...list];
  }

  // { verdict: "right" | "slip" | "wrong" | "unread", text }
  function grade(spec, text) {
    try {
      return graded(spec, text);
    } catch (error) {
      return { verdict: "unread", text: error instanceof AnswerError ? error.message : "I can't work that out." };
    }
  }

  function graded(spec, text) {
    if (!text.trim()) return { verdict: "unread", text: spec.kind === "choice" ? "Choose an answer first." : "Type an answer first." };
    if (spec.kind === "choice") {
      if (text === spec.right) return { verdict: "right", text: "Right." };
      return { verdict: "slip", text: spec.wrong.find(([option]) => option === text)?.[1] ?? "Not that." };
    }
    spent = 0;
    const trials = spec.given.length ? [1, 2, 3, 4, 5, 6, 7, 8].map((k) => draw(spec.given, 7919 * k)) : [{}];
    const right = attempt(spec.right, trials).values;
    const ways = readings(spec.kind, text, largest(flat(right[0]).d) > 1).map((way) => judge(spec, way, trials, right));
    return ways.find(({ verdict }) => verdict === "right") ?? ways[0];
  }

  function judge(spec, text, trials, right) {
    const found = attempt(text, trials);
    const all = (values, others) => values.every((v, k) => same(v, others[k], spec.within));
    const small = (v) => Math.min(spec.within, 0.005 * largest(flat(v).d));
    const alike = (values, others) => values.every((v, k) => same(v, others[k], small(others[k])));
    if (found.values && all(found.values, right)) return { verdict: "right", text: "Right." };
    for (const [slip, hint] of spec.wrong) {
      const other = attempt(clean(spec.kind, slip), trials);
      const equal = other.values && found.values ? alike(found.values, other.values) : other.tree === found.tree || (other.error && other.error === found.error);
      if (equal) return { verdict: "slip", text: hint };
    }
    if (found.error) {
      const numpy = /^(matmul|operands)/.test(found.error) ? "NumPy would say: " : "";
      return { verdict: "unread", text: `${numpy}${found.error.trim()}${found.error.endsWith(".") ? "" : "."}` };
    }
    return diagnose(spec, found.values, right, all);
  }

  function diagnose(spec, found, right, all) {
    const slip = (text) => ({ verdict: "slip", text });
    const [mine, its] = [found[0], right[0]];
    if (isTuple(its) || isTuple(mine)) {
      if (!isTuple(its)) return slip(`That is a shape, or decimals behind a comma in place of a point; asked is ${shapeText(its.s)}.`);
      if (!isTuple(mine)) return slip("The answer is a shape: (rows, columns).");
      const [a, b] = [mine.t, its.t];
      if (a.length !== b.length) return slip(`The shape has ${b.length} numbers, yours has ${a.length}.`);
      if (String([...a].reverse()) === String(b)) return slip("That is the transpose: rows first, then columns.");
      const good = a.filter((n, k) => n === b[k]).length;
      return { verdict: "wrong", text: good ? `Not yet: ${good} of ${b.length} numbers ${good > 1 ? "are" : "is"} right.` : "Not yet." };
    }
    if (found.some((v) => v.d.some((n) => !Number.isFinite(n)))) return { verdict: "wrong", text: "That is not finite for some inputs: a division by zero, or the logarithm or root of a negative number?" };
    if (mine.s.length === 2 && all(found.map(transpose), right)) return slip("That is the transpose of the right answer.");
    if (shapeOf(mine) !== shapeOf(its)) {
      const squeezed = (v) => array([v.d.length], v.d);
      if (mine.d.length === its.d.length && all(found.map(squeezed), right.map(squeezed))) {
        return slip(`The numbers are right, the shape is ${show(mine.s)} and not ${show(its.s)}: is it keepdims=True, or a column that has become a row?`);
      }
      return slip(`The result should be ${shapeText(its.s)}, yours is ${shapeText(mine.s)}.`);
    }
    if (found.every((v) => !largest(v.d)) && right.some((v) => largest(v.d))) return { verdict: "wrong", text: "Not yet: that is zero." };
    const r = ratio(found, right);
    if (r !== undefined && Math.abs(r + 1) < 1e-9) return slip("The numbers are right, the sign is not: it is −1 times the right answer.");
    if (spec.kind === "number") {
      const [a, b] = [mine.d[0], its.d[0]];
      if (spec.within && Math.abs(a - b) <= Math.max(0.02 * Math.abs(b), 20 * spec.within)) {
        return slip(`Close, but not close enough: it should be right to ${spec.within}.`);
      }
      if (a * b && Math.abs(a * b - 1) < 1e-9) return slip("That is one divided by the right answer.");
      const exact = (k) => Math.abs(a - k * b) <= Math.max(1e-9 * Math.abs(k * b), spec.within ? 2 * spec.within * Math.abs(k) : 0);
      for (const k of [2, 0.5, -2, -0.5]) if (b && exact(k)) return slip(factorText(k, []));
      for (const k of [10, 100, 1000]) if (b && (exact(k) || exact(1 / k))) return slip(`It is ${k} times too ${exact(k) ? "large" : "small"}${k === 100 ? ": a per cent in place of a fraction, or the other way round?" : "."}`);
      if (b && exact(-1)) return slip("The number is right, the sign is not.");
      return { verdict: "wrong", text: "Not yet." };
    }
    if (r !== undefined) return slip(factorText(r, spec.given));
    if (ratio(found, right, true) !== undefined && its.d.length > 1) return slip("The entries have the right proportions. A number that depends on the input is too much or missing.");
    if (right.every((v, k) => v.d.every((n, i) => Math.abs(Math.abs(n) - Math.abs(found[k].d[i])) < 1e-9 * Math.max(1, Math.abs(n))))) return slip("The sizes are right; some of the signs are not.");
    if (!spec.given.length) {
      const good = its.d.filter((n, k) => Math.abs(n - mine.d[k]) < 1e-9 * Math.max(1, Math.abs(n))).length;
      if (good) return { verdict: "wrong", text: `Not yet: ${good} of ${its.d.length} entries ${good > 1 ? "are" : "is"} right.` };
    }
    return { verdict: "wrong", text: "Not yet: the shape is right, the values are not." };
  }

  globalThis.nnfpAnswers = { parse, evaluate: (tree, names) => ((spent = 0), evaluate(tree, names)), grade, draw, attempt };
  if (typeof document === "undefined") return;

  // ---- What was answered: in this browser only, or for this visit where nothing may be kept.

  const KEY = "nnfp-answers";
  let memory = {};
  const read = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
      return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
    } catch {
      return memory;
    }
  };
  const write = (data) => {
    memory = data;
    try {
      if (Object.keys(data).length) localStorage.setItem(KEY, JSON.stringify(data));
      else localStorage.removeItem(KEY);
    } catch {
      // kept until the page is left
    }
  };

  // ---- The forms.

  const make = (tag, className = "", text = "") => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.textContent = text;
    return element;
  };
  // `code` in a hint
  const words = (text) => text.split(/`([^`]+)`/).map((part, k) => (k % 2 ? make("code", "", part) : part));

  const typed = (form) => form.querySelector("input[type=text]")?.value ?? form.querySelector("input:checked")?.value ?? "";
  const tries = new WeakMap();

  function solution(form) {
    for (let next = form.nextElementSibling; next && !/^H[1-6]$/.test(next.tagName); next = next.nextElementSibling) {
      if (next.matches("details.success")) return next;
    }
    return null;
  }

  function say(form, verdict, text) {
    const output = form.querySelector("output");
    output.dataset.kind = verdict;
    const mark = { right: "✓ ", slip: "✗ ", wrong: "✗ " }[verdict] ?? "";
    output.replaceChildren(...(mark ? [Object.assign(make("span", "", mark), { ariaHidden: "true" })] : []), ...words(text));
    const details = solution(form);
    const count = (tries.get(form) ?? 0) + (verdict === "slip" || verdict === "wrong");
    tries.set(form, count);
    form.querySelector(".answer-open")?.remove();
    if (!details || details.open || !(verdict === "right" || count > 1)) return;
    const button = make("button", "answer-open", "Open the solution");
    button.type = "button";
    button.addEventListener("click", () => {
      details.open = true;
      button.remove();
      details.querySelector("summary").focus();
    });
    form.append(button);
  }

  function submit(form) {
    const spec = JSON.parse(form.dataset.answer);
    const text = typed(form);
    const { verdict, text: message } = grade(spec, text);
    if (verdict !== "unread") {
      const kept = read();
      const solved = verdict === "right" || kept[form.dataset.key]?.solved === true;
      kept[form.dataset.key] = { answer: verdict === "right" || !kept[form.dataset.key]?.solved ? text : kept[form.dataset.key].answer, solved };
      write(kept);
      form.classList.toggle("is-solved", solved);
    }
    form.querySelector("input[type=text]")?.setAttribute("aria-invalid", String(verdict !== "right"));
    say(form, verdict, message);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form.answer");
    if (!form) return;
    event.preventDefault();
    event.stopPropagation();
    submit(form);
  }, true);

  // ---- The page that lists all exercises.

  function panel(box) {
    const links = [...document.querySelectorAll(".answer-link[data-key]")];
    const kept = read();
    const solved = links.filter((link) => kept[link.dataset.key]?.solved).length;
    for (const link of links) {
      const state = kept[link.dataset.key]?.solved ? "solved" : link.dataset.key in kept ? "tried" : "";
      link.dataset.state = state;
      link.parentElement.querySelector(".answer-state")?.remove();
      if (state) link.after(make("span", "answer-state", ` ${state}`));
    }
    const count = make("p", "answers-count", `${solved} of ${links.length} exercises solved in this browser.`);
    count.setAttribute("role", "status");
    const bar = Object.assign(document.createElement("progress"), { max: links.length, value: solved });
    bar.setAttribute("aria-label", "Exercises solved");
    const row = make("div", "answer-row");
    const save = make("button", "", "Save as a file");
    const clear = make("button", "", "Clear");
    save.type = clear.type = "button";
    save.disabled = clear.disabled = !Object.keys(kept).length;
    save.addEventListener("click", () => {
      const link = make("a");
      link.href = URL.createObjectURL(new Blob([`${JSON.stringify(read(), null, 1)}\n`], { type: "application/json" }));
      link.download = "nnfp-answers.json";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    clear.addEventListener("click", () => {
      if (clear.dataset.sure) {
        write({});
        panel(box);
        box.querySelector(".answers-count").textContent += " All was cleared.";
        return;
      }
      clear.dataset.sure = "yes";
      clear.textContent = "Clear all answers: sure?";
    });
    row.append(save, clear);
    box.replaceChildren(count, bar, row);
  }

  function scan() {
    const kept = read();
    for (const form of document.querySelectorAll("form.answer:not([data-live])")) {
      form.dataset.live = "";
      const before = kept[form.dataset.key];
      if (!before || typeof before.answer !== "string") continue;
      form.classList.toggle("is-solved", before.solved === true);
      const input = form.querySelector("input[type=text]");
      if (input && !input.value) input.value = before.answer;
      for (const radio of form.querySelectorAll("input[type=radio]")) radio.checked = radio.value === before.answer;
    }
    const box = document.querySelector(".answers-panel:not([data-live])");
    if (box) {
      box.dataset.live = "";
      panel(box);
    }
  }

  globalThis.nnfpAnswers.scan = scan;
  scan();
})();
