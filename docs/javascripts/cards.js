// Cards: an equation by its number, a term by its name, without leaving the place. The link stays a link.
// What stands on another page is fetched once; without scripts or a network the link leads there.

(() => {
  const pages = new Map();
  let card, owner, timer;
  let pointed = false; // by the mouse, which closes it again; a card of the focus stays where the mouse rests

  function hide() {
    clearTimeout(timer);
    card?.remove();
    owner?.removeAttribute("aria-describedby");
    card = owner = undefined;
  }

  function place() {
    const at = card && owner.getClientRects()[0];
    if (!at) return;
    card.style.left = "0"; // where it stands decides how wide it can be
    const most = document.documentElement.clientWidth - card.offsetWidth - 8;
    const above = at.top - card.offsetHeight - 8;
    card.style.left = `${Math.max(8, Math.min(at.left, most)) + scrollX}px`;
    card.style.top = `${(above > 56 ? above : at.bottom + 8) + scrollY}px`;
  }
  const sizes = new ResizeObserver(place);

  async function target(link) {
    const [address, id] = [link.href.split("#")[0], decodeURIComponent(link.hash.slice(1))];
    if (address === location.href.split("#")[0]) return document.getElementById(id);
    if (location.protocol === "file:") return null;
    if (!pages.has(address)) {
      const page = fetch(address).then((answer) => (answer.ok ? answer.text() : ""));
      pages.set(address, page.then((text) => new DOMParser().parseFromString(text, "text/html")));
    }
    return (await pages.get(address)).getElementById(id);
  }

  function content(element) {
    const part = element.matches(".equation")
      ? element.querySelector(".equation-scroll")
      : element.closest("dt")?.nextElementSibling;
    if (!part) return [];
    const copy = part.cloneNode(true);
    copy.querySelectorAll("[id], [tabindex]").forEach((e) => (e.removeAttribute("id"), e.removeAttribute("tabindex")));
    copy.querySelectorAll("a").forEach((a) => a.replaceWith(...a.childNodes));
    return [...copy.childNodes];
  }

  async function show(link, mouse = false) {
    if (link === owner) return;
    hide();
    pointed = mouse;
    owner = link;
    const found = await target(link).catch(() => null);
    const parts = found && content(found);
    if (owner !== link || !parts?.length) return;
    card = document.createElement("div");
    card.className = "link-card md-typeset";
    card.id = "link-card";
    card.setAttribute("role", "tooltip");
    card.append(...parts);
    document.body.append(card);
    link.setAttribute("aria-describedby", card.id);
    sizes.disconnect();
    sizes.observe(card); // and once more when its fonts have come
    place();
    card.addEventListener("pointerleave", hide);
  }

  const linkOf = (event) => event.target.closest?.('article a[href*="#eq-"]:not(.equation-number), article a.term');

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const link = linkOf(event);
    clearTimeout(timer);
    if (link) timer = setTimeout(show, 150, link, true);
    else if (owner && pointed && !card?.contains(event.target)) timer = setTimeout(hide, 200);
  });
  document.addEventListener("focusin", (event) => (linkOf(event) ? show(linkOf(event)) : hide()));
  // By touch the first tap shows the card and the second follows the link.
  let touched;
  document.addEventListener("pointerdown", (event) => (touched = event.pointerType === "touch" && owner !== linkOf(event)), true);
  document.addEventListener("click", (event) => {
    const link = linkOf(event);
    if (link && touched) {
      event.preventDefault();
      event.stopPropagation();
      show(link);
    } else if (!card?.contains(event.target)) hide();
  }, true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
