// Says when the server does not answer, since when, and that the page shows what was known then.
// Whatever keeps asking says so, too: "streetloop-answered" and "streetloop-lost" on the document.
(() => {
  const PERIOD_MS = 4000, AGAIN_MS = 1000, LIMIT_MS = 8000, MISSES = 2;
  const OF_PROXIES = [502, 503, 504]; // a proxy answers, and the server behind it does not
  let answered = new Date(), missed = 0, banner = null, due = null, asking = false;

  const isAway = () => "away" in document.body.dataset;

  function clock(at) {
    return at.toDateString() === new Date().toDateString() ? at.toLocaleTimeString("en-GB") : at.toLocaleString("en-GB");
  }

  function tell(is) {
    if (is === isAway()) return;
    if (is) document.body.dataset.away = answered.toISOString();
    else delete document.body.dataset.away;
    banner.textContent = is ? `The server has not answered since ${clock(answered)}; this page shows what was known then.` : "";
    document.dispatchEvent(new CustomEvent("streetloop-away", { detail: is }));
  }

  function heard() {
    [answered, missed] = [new Date(), 0];
    tell(false);
  }

  async function ask() {
    clearTimeout(due);
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS) });
      if (OF_PROXIES.includes(answer.status)) throw new Error("no answer");
      heard();
    } catch {
      missed += 1;
      if (missed >= MISSES) tell(true);
    }
    asking = false;
    plan(missed ? AGAIN_MS : PERIOD_MS);
  }

  // What nobody sees is not kept up to date.
  function plan(wait) {
    clearTimeout(due);
    if (!document.hidden) due = setTimeout(ask, wait);
  }

  function begin() {
    banner = document.createElement("div");
    banner.id = "sl-away";
    banner.setAttribute("role", "alert"); // there before it is filled, or it would not be read out
    document.body.prepend(banner);
    document.addEventListener("streetloop-answered", heard);
    document.addEventListener("streetloop-lost", ask);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
    addEventListener("online", ask);
    addEventListener("offline", ask);
    plan(PERIOD_MS);
  }

  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
