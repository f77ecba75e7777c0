// What all pages share: light or dark, deep links to tabs, the title and icon that tell of problems,
// and what the visitor's role may do.
(() => {
  const THEME = "streetloop-theme", REFRESH_MS = 3000, SLOWER = 3;
  const slug = (text) => text.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const asked = new URLSearchParams(location.search).get("__theme");
  let theme = null;
  try { theme = localStorage.getItem(THEME); } catch { /* the system's choice holds */ }
  theme = asked === "light" || asked === "dark" ? asked : theme;

  const isDark = () => theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

  function paint() {
    document.body.classList.toggle("dark", isDark());
    const button = document.querySelector(".sl-theme");
    if (button) {
      button.dataset.painted = "1";
      button.setAttribute("aria-label", isDark() ? "switch to light colors" : "switch to dark colors");
      button.title = isDark() ? "light colors" : "dark colors";
    }
  }

  function turn() {
    theme = isDark() ? "light" : "dark";
    try { localStorage.setItem(THEME, theme); } catch { /* for this page alone */ }
    paint();
  }

  // Tabs: #drift opens Drift, and a tab that is opened is named in the address.

  const tabs = () => Array.from(document.querySelectorAll('[role="tablist"] [role="tab"]'));

  function open() {
    const wanted = slug(decodeURIComponent(location.hash.slice(1).split("/")[0]));
    const tab = wanted && tabs().find((one) => slug(one.textContent) === wanted);
    if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
    if (tab) tab.scrollIntoView({ block: "nearest", inline: "center" });
    return !wanted || Boolean(tab);
  }

  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.('[role="tablist"] [role="tab"]');
    if (!tab || !event.isTrusted) return;
    history.replaceState(null, "", `#${slug(tab.textContent)}`);
    tab.scrollIntoView({ block: "nearest", inline: "center" });
  });
  addEventListener("hashchange", open);

  // A bar that does not fit shows the tab that is open.
  let shown = null, tries = 0; // Gradio draws the bar anew for a moment
  function follow() {
    const tab = tabs().find((one) => one.getAttribute("aria-selected") === "true");
    if (tab && tab.textContent !== shown) [shown, tries] = [tab.textContent, 4];
    if (!tab || !tries) return;
    tries -= 1;
    const bar = tab.parentElement;
    const [inner, outer] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (inner.left < outer.left || inner.right > outer.right) bar.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }

  // The title and the icon.

  function icon(color) {
    const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="none" stroke="${color}" stroke-width="3"/></svg>`;
    let link = document.querySelector("link[rel=icon][data-sl]");
    if (!link) {
      for (const other of document.querySelectorAll("link[rel~=icon]")) other.remove();
      link = document.createElement("link");
      Object.assign(link, { rel: "icon", type: "image/svg+xml" });
      link.dataset.sl = "1";
      document.head.append(link);
    }
    const href = `data:image/svg+xml,${encodeURIComponent(drawn)}`;
    if (link.getAttribute("href") !== href) link.href = href;
  }

  function tell() {
    const said = document.querySelector("[data-problems]");
    if (!said) return;
    const [count, page, isAway] = [Number(said.dataset.problems), said.dataset.page, "away" in document.body.dataset];
    const name = page ? `${page} - streetloop` : "streetloop";
    const title = isAway ? `(no answer) ${name}` : count ? `(${count}) ${name}` : name;
    if (document.title !== title) document.title = title;
    icon(isAway ? "#64748b" : count ? "#dc2626" : "#0f766e");
  }

  // Pages at addresses of their own: the header of the app comes anew with its tabs.
  async function count() {
    const said = document.querySelector("[data-problems][data-follow]");
    if (!said) return;
    try {
      const answer = document.hidden ? null : await fetch("/status");
      if (answer?.ok) said.dataset.problems = (await answer.json()).problems.length;
    } catch { /* the banner says that the server is away */ }
    setTimeout(count, 10000);
  }

  async function role() {
    let found = "unknown"; // what may not be done is refused all the same
    try {
      const answer = await fetch("/me");
      if (answer.ok) found = (await answer.json()).role;
    } catch { /* the banner says that the server is away */ }
    document.body.dataset.role = found;
  }

  // The open tab comes anew while it is seen: a timer of Gradio would go on in hidden pages, too.
  let rounds = 0;
  function refresh() {
    if (document.hidden) return;
    document.getElementById("sl-refresh")?.click();
    if (rounds++ % SLOWER === 0) for (const button of document.querySelectorAll(".sl-refresh-slower")) button.click();
  }

  function begin() {
    setInterval(refresh, REFRESH_MS);
    document.addEventListener("visibilitychange", refresh);
    role();
    count();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    document.addEventListener("click", (event) => { if (event.target.closest?.(".sl-theme")) turn(); });
    let opened = false;
    (function look() {
      if (document.body.classList.contains("dark") !== isDark()) paint();
      if (!opened && (tabs().length || !location.pathname.startsWith("/app"))) opened = open();
      if (document.querySelector(".sl-theme:not([data-painted])")) paint();
      tell();
      follow();
      setTimeout(look, opened ? 500 : 100);
    })();
  }

  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
