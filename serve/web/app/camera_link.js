// #cameras/ID shows that camera in the form of Cameras. The form is Gradio's and fills its fields when
// a person chooses, so the choice is made as a person makes it: the list is opened, its row pressed.
(() => {
  const TRIES = 50, WAIT_MS = 100;
  let linked = "";

  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const field = () => [...document.querySelectorAll('input[aria-label="Camera"]')].find((one) => one.offsetParent !== null);

  async function choose(input, id) {
    if (input.value === id) return;
    input.focus(); // asks for the cameras of now, too
    for (let k = 0; k < TRIES && document.activeElement === input; k += 1) {
      const row = [...document.querySelectorAll('[role="option"][data-index]')].find((one) => one.getAttribute("aria-label") === id);
      if (row) {
        row.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true }));
        break;
      }
      // Of many cameras the list has those that are like the text, which a key makes it look at.
      input.value = id;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new KeyboardEvent("keydown", { key: id.slice(-1), bubbles: true }));
      await wait(WAIT_MS);
    }
    input.blur();
    input.scrollIntoView({ block: "nearest" });
  }

  (async function look() {
    const [tab, id] = location.hash.slice(1).split("/");
    const input = tab === "cameras" && id ? field() : null;
    if (!id) linked = "";
    if (input && linked !== location.hash) {
      linked = location.hash;
      await choose(input, decodeURIComponent(id));
    }
    setTimeout(look, 300);
  })();
})();
