// Draws the live pictures of all cameras into #sl-wall; they arrive over one WebSocket.
(() => {
  const cards = new Map();
  let socket = null;
  let wait = 500;
  let asked = 0; // width of the pictures that the server was asked for, in pixels

  const wall = () => document.getElementById("sl-wall");
  const visible = () => wall() && wall().offsetParent !== null && !document.hidden;

  // Width of the widest card, rounded up to 32: a dragged window does not ask for every width.
  function width() {
    const widest = Math.max(0, ...Array.from(cards.values(), (one) => one.figure.clientWidth));
    return 32 * Math.ceil((widest * devicePixelRatio) / 32);
  }

  function answer() {
    const wanted = width();
    if (!wanted || wanted === asked) return "next";
    asked = wanted;
    return JSON.stringify({ width: wanted });
  }

  function card(id) {
    if (cards.has(id)) return cards.get(id);
    const figure = document.createElement("figure");
    const picture = document.createElement("canvas");
    const caption = document.createElement("figcaption");
    const name = document.createElement("strong");
    const state = document.createElement("span");
    const numbers = document.createElement("span");
    figure.dataset.camera = id;
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `live picture of ${id}`);
    name.textContent = id; // as text: a name cannot inject markup
    state.className = "sl-chip";
    numbers.className = "sl-numbers";
    caption.append(name, state, numbers);
    figure.append(picture, caption);
    figure.title = "click to enlarge";
    figure.addEventListener("click", () => figure.classList.toggle("sl-large"));
    const made = { figure, picture, pen: picture.getContext("bitmaprenderer"), state, numbers, shown: 0 };
    cards.set(id, made);
    return made;
  }

  function show(id, bitmap) {
    const one = card(id);
    if (one.picture.width !== bitmap.width || one.picture.height !== bitmap.height) {
      Object.assign(one.picture, { width: bitmap.width, height: bitmap.height });
    }
    one.pen.transferFromImageBitmap(bitmap);
    one.shown += 1;
    one.figure.dataset.shown = one.shown;
  }

  // A message is the length of its header, the header, then the pictures.
  async function take(message) {
    let start = 4 + new DataView(message).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, start - 4)));
    // createImageBitmap decodes off the main thread, and needs no object URL as an <img> would.
    const decoded = header.pictures.map(([, size]) => {
      const jpeg = new Uint8Array(message, start, size);
      start += size;
      return createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    });
    if (header.cameras) tell(header.cameras);
    // All pictures are drawn together: the browser lays the page out once a round.
    (await Promise.allSettled(decoded)).forEach((one, k) => {
      if (one.status === "fulfilled") show(header.pictures[k][0], one.value); // a damaged picture is skipped
    });
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
    const mine = new WebSocket(`${scheme}://${location.host}/live`);
    socket = mine;
    asked = 0;
    mine.binaryType = "arraybuffer";
    let before = Promise.resolve();
    // The server sends the first round unasked; these two requests keep it busy while we decode.
    mine.onopen = () => { mine.send("next"); mine.send("next"); };
    mine.onmessage = async (message) => {
      wait = 500;
      await before;
      // One round is decoded at a time: a slow browser asks less often.
      if (!visible()) mine.close();
      else if (mine.readyState === WebSocket.OPEN) mine.send(answer());
      before = take(message.data);
    };
    mine.onclose = () => {
      socket = null;
      wait = Math.min(2 * wait, 8000);
    };
  }

  (function look() { open(); setTimeout(look, socket ? 500 : wait); })();
})();
