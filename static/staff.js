// Keys for staff: j k move, a assign to me, n note, / search, ? help. Nothing here is needed: each has its button.
"use strict";
(() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const first = (what, within = document) => within.querySelector(what);

  function move(step) {
    const links = all("[data-line]");
    const now = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
    const next = links[now === -1 ? (step > 0 ? 0 : links.length - 1) : now + step];
    next?.focus();
  }

  function take() {
    const row = document.activeElement?.closest("tr");
    (first("[data-take]", row ?? document.createElement("p")) ?? first("[data-take-this]"))?.click();
  }

  function note() {
    const field = first("[data-note]");
    if (field) {
      const folded = field.closest("details");
      if (folded) folded.open = true;
      field.focus();
      return;
    }
    const link = document.activeElement?.closest("tr")?.querySelector("[data-line]");
    if (link) location.assign(`${link.href}#note`);
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    a: take,
    n: note,
    "/": () => first("[data-find]")?.focus(),
    "?": () => first("[data-help]")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  // A second click does nothing on the server; here it is not even sent.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => all("form").forEach((form) => delete form.dataset.sent));

  // A link to a folded form unfolds it.
  function unfold() {
    const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
    const folded = target?.matches("details") ? target : target?.querySelector("details");
    if (!folded) return;
    folded.open = true;
    folded.querySelector("textarea")?.focus();
  }
  window.addEventListener("hashchange", unfold);
  unfold();
})();
