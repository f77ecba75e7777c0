// What leads can be hidden, for good in this browser: the first steps, which always lead without a
// camera, and all but the names of the steps of the loop, which come back.
(() => {
  const HIDDEN = "streetloop-first-steps", LESS = "streetloop-less-steps";

  function keep(key, is) {
    try {
      if (is) localStorage.setItem(key, "1");
      else localStorage.removeItem(key);
    } catch { /* for this page alone */ }
  }

  function begin() {
    const choices = { "sl-hide-first": HIDDEN, "sl-less-steps": LESS };
    for (const [name, key] of Object.entries(choices)) {
      try { if (localStorage.getItem(key)) document.body.classList.add(name); } catch { /* all is shown */ }
    }
    document.addEventListener("click", ({ target }) => {
      const pressed = (name) => target.closest?.(name);
      if (pressed(".sl-first-hide")) {
        document.body.classList.add("sl-hide-first");
        keep(HIDDEN, true);
      }
      if (!pressed(".sl-guide-less, .sl-guide-more")) return;
      const is = document.body.classList.toggle("sl-less-steps", Boolean(pressed(".sl-guide-less")));
      keep(LESS, is);
      document.querySelector(is ? ".sl-guide-more" : ".sl-guide-less")?.focus();
    });
  }

  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
