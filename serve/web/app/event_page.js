// The page of one event: people acknowledge it, say that it did not happen, and comment on it.
(() => {
  const root = document.getElementById("sl-event");
  const path = `/events/${root.dataset.event}`;

  async function say(address, method, body) {
    const told = document.getElementById("sl-said");
    try {
      const answer = await fetch(address, { method, ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}) });
      if (answer.ok) return location.reload();
      const why = await answer.json().catch(() => ({}));
      told.textContent = `Not done: ${why.detail || `the server answers ${answer.status}`}`;
    } catch {
      told.textContent = "Not done: the server does not answer.";
    }
  }

  for (const button of root.querySelectorAll("[data-say]"))
    button.addEventListener("click", () => say(`${path}/${button.dataset.say}`, button.dataset.method || "POST"));
  document.getElementById("sl-comment")?.addEventListener("submit", (event) => {
    event.preventDefault();
    say(`${path}/comment`, "POST", { text: new FormData(event.target).get("text") });
  });
})();
