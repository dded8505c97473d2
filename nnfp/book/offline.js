// Turns the article of a built page into one that stands in a book: no controls, one theme, ids and
// links as the book needs them. Runs in Chromium; the answer is well-formed XHTML.
//
// page:  { key, number, folder } of this page; keys: address below the site -> key, of all pages
// whole: true for one long document (ids get the key in front, formulas stay KaTeX's), false for one
//        document a page (formulas become MathML)
({ html, page, keys, whole }) => {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const article = parsed.querySelector("article");
  const all = (selector) => [...article.querySelectorAll(selector)];
  const drop =
    "script, style, link, template, form, answers-progress, button, input, textarea, .headerlink, .notebook, .run, .answer, .copy-note, " +
    ".equation-mark, .mark, .md-content__button, .figure-dark, .md-source-file, [hidden], nav";
  for (const element of all(drop)) element.remove();
  const comments = parsed.createTreeWalker(article, NodeFilter.SHOW_COMMENT);
  const found = [];
  while (comments.nextNode()) found.push(comments.currentNode);
  for (const comment of found) comment.remove();
  for (const details of all("details")) details.setAttribute("open", "");
  for (const element of [article, ...all("*")]) {
    for (const { name } of [...element.attributes]) {
      if (/^(data-|on|tabindex$|contenteditable$|loading$)/.test(name)) element.removeAttribute(name);
    }
  }

  if (!whole) {
    for (const formula of all(".katex")) {
      const math = formula.querySelector("math");
      const display = formula.closest(".katex-display");
      if (display) math.setAttribute("display", "block");
      math.setAttribute("alttext", math.querySelector("annotation")?.textContent ?? "");
      math.querySelector("annotation")?.remove();
      (display ?? formula).replaceWith(math);
    }
  } else {
    for (const math of all(".katex-mathml")) math.remove();
  }

  const id = (name) => (whole ? `${page.key}--${name}` : name);
  for (const element of all("[id]")) element.id = id(element.id);
  for (const element of all("*")) {
    for (const attribute of [...element.attributes]) {
      const { name, value } = attribute;
      if (["aria-labelledby", "aria-describedby", "aria-controls", "for", "headers"].includes(name)) {
        element.setAttribute(name, value.split(/\s+/).map(id).join(" "));
      } else if (value.includes("url(#")) {
        element.setAttribute(name, value.replace(/url\(#([^)]+)\)/g, (_, to) => `url(#${id(to)})`));
      } else if (name === "xlink:href" && value.startsWith("#")) {
        // the parser knows the prefix, an XHTML reader the namespace
        element.removeAttribute(name);
        element.setAttributeNS("http://www.w3.org/1999/xlink", "xlink:href", `#${id(value.slice(1))}`);
      }
    }
  }
  for (const link of all("a[href]")) {
    const href = link.getAttribute("href");
    if (/^(https?|mailto):/.test(href)) continue;
    const target = new URL(href, `https://book.invalid/${page.address}`);
    const key = keys[target.pathname.slice(1)];
    const anchor = decodeURIComponent(target.hash.slice(1));
    if (key === undefined) {
      link.replaceWith(...link.childNodes); // a file of the site that the book does not hold
    } else if (whole) {
      link.setAttribute("href", anchor ? `#${key}--${anchor}` : `#${key}`);
    } else {
      link.setAttribute("href", `${key}.xhtml${anchor ? "#" : ""}${anchor}`);
    }
  }
  const images = [];
  for (const image of all("img")) {
    const file = new URL(image.getAttribute("src"), `https://book.invalid/${page.address}`).pathname.slice(1);
    images.push(file);
    image.setAttribute("src", file);
  }
  const title = article.querySelector("h1");
  if (title && page.number) title.prepend(`${page.number} `);
  const section = parsed.createElement("section");
  section.id = whole ? page.key : `page-${page.key}`;
  section.className = "chapter";
  section.append(...article.childNodes);
  return {
    title: (title ?? section).textContent.trim(),
    xhtml: new XMLSerializer().serializeToString(section),
    math: !!section.querySelector("math"),
    svg: !!section.querySelector("svg"),
    images,
  };
}
