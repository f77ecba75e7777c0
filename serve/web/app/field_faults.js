// Puts what is wrong with a form under its fields; what is written anew into a field takes it away.
(() => {
  const inputOf = (block) => block.querySelector("input, textarea");

  function clear(block) {
    block.querySelector(":scope > .sl-fault")?.remove();
    const input = inputOf(block);
    input?.removeAttribute("aria-invalid");
    input?.removeAttribute("aria-describedby");
  }

  function put(block, text) {
    const input = inputOf(block);
    const said = Object.assign(document.createElement("p"), { className: "sl-fault", id: `${block.id}-fault`, textContent: text });
    block.append(said);
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", said.id);
    return input;
  }

  window.streetloopFieldFaults = (said) => {
    if (!said) return;
    const { form, faults } = JSON.parse(said);
    for (const old of document.querySelectorAll(`[id^="${form}"] > .sl-fault`)) clear(old.parentElement);
    const found = Object.entries(faults).map(([id, text]) => [document.getElementById(id), text]).filter(([block]) => block);
    const first = found.map(([block, text]) => put(block, text))[0];
    if (!first) return;
    found[0][0].scrollIntoView({ block: "nearest" });
    // A screen reader reads what describes the field; a list would open, which hides what is under it.
    if (!first.getAttribute("role")) first.focus({ preventScroll: true });
  };

  // A choice from a list is an input event of Gradio alone: its blur writes the field.
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, ({ target }) => {
      const said = target.closest?.(".block")?.querySelector(":scope > .sl-fault");
      if (said) clear(said.parentElement);
    });
  }
})();
