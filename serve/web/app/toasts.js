// Says for some seconds, in a corner, which events begin and end while the page is open.
// What was said once is not said again after a reload; many at a time are summed up in one sentence.
(() => {
  const SEEN = "streetloop-change"; // number of the newest change that this tab knows
  const PERIOD_MS = 5000, STAYS_MS = 12000, AT_ONCE = 3, MOST = 4, LIMIT = 200;
  let seen = null, place = null;

  function make(tag, given = {}, ...children) {
    const made = Object.assign(document.createElement(tag), given);
    made.append(...children); // as text: a name cannot inject markup
    return made;
  }

  function remember(number) {
    seen = number;
    try { sessionStorage.setItem(SEEN, String(number)); } catch { /* until the next reload */ }
  }

  async function changes(query) {
    const answer = await fetch(`/events/changes?${query}`);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    return answer.json();
  }

  // Of a ledger that was begun anew the numbers are lower again.
  async function begin() {
    const newest = (await changes("limit=1"))[0]?.number ?? 0;
    let before = null;
    try { before = sessionStorage.getItem(SEEN); } catch { /* from now on */ }
    remember(before === null ? newest : Math.min(Number(before) || 0, newest));
  }

  // One sentence an event: what ended at once is not said to begin.
  function news(found) {
    const byEvent = new Map();
    for (const { change, message } of found)
      if ((change === "begin" || change === "end") && !message.event.muted) byEvent.set(message.event.id, { change, event: message.event });
    return [...byEvent.values()];
  }

  function toast(kind, text, href) {
    const close = make("button", { type: "button", className: "sl-toast-close", ariaLabel: "close" }, "×");
    const made = make("div", { className: `sl-toast sl-toast-${kind}` }, make("a", { href }, text), close);
    let left = null;
    const leave = () => { clearTimeout(left); left = setTimeout(() => made.remove(), STAYS_MS); };
    const stay = () => clearTimeout(left);
    close.addEventListener("click", () => made.remove());
    for (const [name, act] of [["pointerenter", stay], ["pointerleave", leave], ["focusin", stay], ["focusout", leave]]) made.addEventListener(name, act);
    leave();
    place.append(made);
    while (place.children.length > MOST) place.firstChild.remove();
  }

  function sentence({ change, event }) {
    const who = event.camera_id ? `${event.camera_id}: ` : "";
    const what = event.kind.replaceAll("_", " ");
    const cause = event.cause || event.detail?.causes?.[0]?.name;
    return `${who}${what}${cause ? ` (${cause})` : ""}${change === "end" ? " is over" : ""}`;
  }

  function tell(all) {
    if (all.length <= AT_ONCE) {
      for (const one of all) toast(one.change, sentence(one), `/app/events/${one.event.id}`);
      return;
    }
    const began = all.filter((one) => one.change === "begin").length, over = all.length - began;
    const parts = [began ? `${began} ${began === 1 ? "event began" : "events began"}` : "", over ? `${over} ${over === 1 ? "is" : "are"} over` : ""];
    toast(began ? "begin" : "end", parts.filter(Boolean).join(", "), "/app/#counts-and-alerts");
  }

  async function look() {
    if (!document.hidden) {
      try {
        if (seen === null) await begin();
        const found = await changes(`after=${seen}&limit=${LIMIT}`);
        if (found.length) {
          remember(found[found.length - 1].number);
          tell(news(found));
        }
      } catch { /* the header says what is away */ }
    }
    setTimeout(look, PERIOD_MS);
  }

  function open() {
    place = make("div", { id: "sl-toasts" });
    place.setAttribute("role", "log");
    place.setAttribute("aria-live", "polite");
    place.setAttribute("aria-label", "news of events");
    document.body.append(place);
    look();
  }

  if (document.body) open();
  else addEventListener("DOMContentLoaded", open);
})();
