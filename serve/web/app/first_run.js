// The first steps can be hidden, for good in this browser; without a camera they always lead.
(() => {
  const HIDDEN = "streetloop-first-steps";
  const hide = () => document.body.classList.add("sl-hide-first");

  function begin() {
    try { if (localStorage.getItem(HIDDEN)) hide(); } catch { /* they are shown */ }
    document.addEventListener("click", (event) => {
      if (!event.target.closest?.(".sl-first-hide")) return;
      hide();
      try { localStorage.setItem(HIDDEN, "1"); } catch { /* for this page alone */ }
    });
  }

  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
