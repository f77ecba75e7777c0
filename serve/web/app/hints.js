// Explanations of words, at [data-hint]: under the pointer, by touch and with the keyboard; Esc closes.
// A touch of a time shows which moment it was.
(() => {
  const GAP = 6, EDGE = 8, LOOK_MS = 300;
  let tip = null, at = null, timer = null;

  const word = (target) => target.closest?.("[data-hint]");

  function hide() {
    if (!at) return;
    clearInterval(timer);
    at.removeAttribute("aria-describedby");
    at = null;
    tip.hidePopover();
  }

  function place() {
    const [mine, its] = [tip.getBoundingClientRect(), at.getBoundingClientRect()];
    const below = its.bottom + GAP, above = its.top - GAP - mine.height;
    const left = Math.max(EDGE, Math.min(its.left, document.documentElement.clientWidth - mine.width - EDGE));
    Object.assign(tip.style, { left: `${left}px`, top: `${below + mine.height < innerHeight || above < 0 ? below : above}px` });
  }

  function show(one, text) {
    if (at === one && tip.textContent === text) return;
    hide();
    at = one;
    tip.textContent = text;
    one.setAttribute("aria-describedby", tip.id);
    tip.showPopover(); // above dialogs, too
    place();
    // A panel that comes anew takes the word with it.
    timer = setInterval(() => { if (!at?.isConnected || at.offsetParent === null) hide(); }, LOOK_MS);
  }

  function begin() {
    tip = document.createElement("div");
    Object.assign(tip, { id: "sl-hint", popover: "manual" });
    tip.setAttribute("role", "tooltip");
    document.body.append(tip);
    document.addEventListener("pointerover", ({ target, pointerType }) => {
      if (pointerType !== "mouse" || tip.contains(target)) return; // it may be pointed at itself
      const one = word(target);
      if (one) show(one, one.dataset.hint);
      else if (at !== document.activeElement) hide();
    });
    document.addEventListener("focusin", ({ target }) => {
      const one = word(target);
      if (one) show(one, one.dataset.hint);
      else hide();
    });
    document.addEventListener("focusout", hide);
    document.addEventListener("click", ({ target }) => {
      const [one, time] = [word(target), target.closest?.("time[title]")];
      if (one) show(one, one.dataset.hint);
      else if (time) show(time, time.title);
      else if (!tip.contains(target)) hide();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    addEventListener("scroll", () => { if (at) place(); }, { capture: true, passive: true });
    addEventListener("resize", hide);
  }

  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
