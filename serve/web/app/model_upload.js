// Sends the model that is chosen in .sl-upload, and says what came of it beside the button.
(() => {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches?.("form.sl-upload")) return;
    event.preventDefault();
    const [said, button] = [form.querySelector("[role=status]"), form.querySelector("button")];
    const classes = form.elements.classes.value.trim();
    const body = new FormData();
    body.append("file", form.elements.file.files[0]);
    button.disabled = true;
    said.textContent = "The model is sent and opened ...";
    try {
      const query = classes ? `?${new URLSearchParams({ classes })}` : "";
      const answer = await fetch(`/models${query}`, { method: "POST", body });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.detail || answer.statusText);
      const link = document.createElement("a");
      Object.assign(link, { className: "sl-link", href: `/app/versions/${found.number}`, textContent: `version ${found.number}` });
      said.replaceChildren("Registered as ", link, `: ${found.classes.length} classes.`);
      form.elements.file.value = "";
    } catch (error) {
      said.textContent = `Not registered: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  });
})();
