// Moving pictures of all cameras over one WebSocket, drawn into #sl-wall.
(() => {
  const cards = new Map();
  let socket = null;
  let wait = 500;

  const wall = () => document.getElementById("sl-wall");
  const visible = () => wall() && wall().offsetParent !== null && !document.hidden;

  function card(id) {
    if (cards.has(id)) return cards.get(id);
    const figure = document.createElement("figure");
    const picture = document.createElement("img");
    const caption = document.createElement("figcaption");
    const name = document.createElement("strong");
    const state = document.createElement("span");
    const numbers = document.createElement("span");
    figure.dataset.camera = id;
    picture.alt = `live picture of ${id}`;
    name.textContent = id; // as text: a name is shown, not run
    state.className = "sl-chip";
    numbers.className = "sl-numbers";
    caption.append(name, state, numbers);
    figure.append(picture, caption);
    figure.title = "click to enlarge";
    figure.addEventListener("click", () => figure.classList.toggle("sl-large"));
    const made = { figure, picture, state, numbers, shown: 0 };
    cards.set(id, made);
    return made;
  }

  function show(bytes) {
    const data = new Uint8Array(bytes);
    const end = data.indexOf(0);
    const one = card(new TextDecoder().decode(data.subarray(0, end)));
    const old = one.picture.src;
    one.picture.src = URL.createObjectURL(new Blob([data.subarray(end + 1)], { type: "image/jpeg" }));
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    one.shown += 1;
    one.figure.dataset.shown = one.shown;
  }

  function tell(cameras) {
    const place = wall();
    if (!place) return;
    place.querySelector(".sl-empty")?.toggleAttribute("hidden", cameras.length > 0);
    const known = new Set(cameras.map((camera) => camera.id));
    for (const [id, one] of cards) {
      if (!known.has(id)) { one.figure.remove(); cards.delete(id); }
    }
    for (const camera of cameras) {
      const one = card(camera.id);
      if (one.figure.parentElement !== place) place.append(one.figure);
      one.state.textContent = camera.state;
      one.state.className = `sl-chip sl-${{ live: "good", lost: "bad", failed: "bad" }[camera.state] || "plain"}`;
      one.numbers.textContent = camera.error ||
        `${camera.fps_decoded.toFixed(0)} fps in, ${camera.fps_detected.toFixed(1)} detected, ` +
        `${camera.objects} objects`;
      one.figure.classList.toggle("sl-dark", camera.state !== "live");
    }
  }

  function open() {
    if (socket || !visible()) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => {
      wait = 500;
      if (typeof message.data !== "string") { show(message.data); return; }
      const told = JSON.parse(message.data);
      if (told.cameras) tell(told.cameras);
      if (!visible()) { socket.close(); return; }
      socket.send("next");
    };
    socket.onclose = () => {
      socket = null;
      wait = Math.min(2 * wait, 8000);
    };
  }

  (function look() { open(); setTimeout(look, socket ? 500 : wait); })();
})();
