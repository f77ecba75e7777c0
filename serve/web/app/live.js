// Draws the live pictures of cameras into #sl-wall; they arrive over one WebSocket.
// With data-camera the wall shows that camera alone.
(() => {
  const WALL = "streetloop-wall";
  const SIZES = { small: 13, medium: 20, large: 27 }; // rem, of a card at least
  const MAX_WIDTH = 1280;
  const cards = new Map();
  let socket = null;
  let wait = 500;
  let asked = ""; // what the server was asked for
  let choice = stored();

  const wall = () => document.getElementById("sl-wall");
  const only = () => wall()?.dataset.camera;
  const visible = () => wall() && wall().offsetParent !== null && !document.hidden;

  function stored() {
    try {
      return { size: "", city: "", text: "", bad: false, ...JSON.parse(localStorage.getItem(WALL)), text: "" };
    } catch { return { size: "", city: "", text: "", bad: false }; }
  }

  function make(tag, given = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children); // as text: a name cannot inject markup
    return made;
  }

  // Which cameras are in sight, and how wide: rounded up to 32, since a dragged window does not ask
  // for every width. An enlarged card has a width of its own.
  function answer() {
    const rounded = (pixels) => Math.min(MAX_WIDTH, 32 * Math.ceil((pixels * devicePixelRatio) / 32));
    const seen = [...cards.values()].filter(({ figure }) => {
      const box = figure.getBoundingClientRect();
      return box.width && box.bottom > -100 && box.top < innerHeight + 100;
    });
    const large = seen.filter(({ figure }) => figure.classList.contains("sl-large"));
    const widest = Math.max(0, ...seen.filter((one) => !large.includes(one)).map(({ figure }) => figure.clientWidth));
    const said = { cameras: seen.map(({ id }) => id).sort(), widths: Object.fromEntries(large.map(({ id, figure }) => [id, rounded(figure.clientWidth)])) };
    if (widest) said.width = rounded(widest);
    const wanted = JSON.stringify(only() ? { ...said, cameras: [only()] } : said);
    if (!seen.length || wanted === asked) return "next";
    asked = wanted;
    return wanted;
  }

  function card(id) {
    if (cards.has(id)) return cards.get(id);
    const picture = make("canvas", { role: "img", "aria-label": `live picture of ${id}` });
    const state = make("span", { className: "sl-chip" });
    const numbers = make("span", { className: "sl-numbers" });
    const name = make("a", { className: "sl-camera-link", href: `/app/cameras/${encodeURIComponent(id)}`, title: "its page: history, events, drift, settings" }, make("bdi", {}, id));
    const enlarge = make("button", { type: "button", className: "sl-enlarge", "aria-label": `enlarge ${id}`, title: "enlarge" });
    const figure = make("figure", {}, picture, make("figcaption", {}, name, state, numbers, enlarge));
    figure.dataset.camera = id;
    const turn = () => {
      const is = figure.classList.toggle("sl-large");
      enlarge.title = is ? "make smaller" : "enlarge";
      enlarge.setAttribute("aria-label", `${enlarge.title} ${id}`);
    };
    picture.addEventListener("click", () => { if (!only()) turn(); });
    enlarge.addEventListener("click", turn);
    const made = { id, figure, picture, pen: picture.getContext("bitmaprenderer"), state, numbers, shown: 0, view: null };
    cards.set(id, made);
    return made;
  }

  function show(id, bitmap) {
    const one = card(id);
    if (one.picture.width !== bitmap.width || one.picture.height !== bitmap.height) {
      Object.assign(one.picture, { width: bitmap.width, height: bitmap.height });
      one.figure.style.setProperty("--sl-shape", `${bitmap.width} / ${bitmap.height}`);
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

  const isWell = (view) => view.state === "live" && !view.error;

  function said(view) {
    if (view.error) return view.error;
    if (view.state !== "live") return "";
    const asked = view.fps === null ? "" : ` of ${view.fps.toFixed(view.fps < 10 && view.fps % 1 ? 1 : 0)}`;
    return `detects ${view.fps_detected.toFixed(1)}${asked} frames a second, ${view.objects} objects`;
  }

  // Without a place in the order of the keyboard: a wall has as many as it has cameras.
  function hint(place, text) {
    if (text) place.dataset.hint = text;
    else delete place.dataset.hint;
  }

  function tell(cameras) {
    const place = wall();
    if (!place) return;
    if (only()) cameras = cameras.filter((camera) => camera.id === only());
    place.querySelector(".sl-empty")?.toggleAttribute("hidden", cameras.length > 0);
    const known = new Set(cameras.map((camera) => camera.id));
    for (const [id, one] of cards) {
      if (!known.has(id)) { one.figure.remove(); cards.delete(id); }
    }
    for (const camera of cameras) {
      const one = card(camera.id);
      one.view = camera;
      one.state.textContent = camera.state;
      one.state.className = `sl-chip sl-${{ live: "good", lost: "bad", failed: "bad" }[camera.state] || "plain"}`;
      one.numbers.textContent = said(camera);
      hint(one.numbers, said(camera) && !camera.error ? `${camera.fps_decoded.toFixed(0)} frames a second arrive; those above the rate that is asked for are left out on purpose` : "");
      one.figure.classList.toggle("sl-dark", camera.state !== "live");
    }
    if ("away" in document.body.dataset) gray();
    arrange(place, cameras);
  }

  // While the server is away nobody knows how a camera is; what it showed last stays, in gray.
  function gray() {
    for (const { figure, state, numbers } of cards.values()) {
      figure.classList.add("sl-stale");
      Object.assign(state, { textContent: "no answer", className: "sl-chip sl-plain" });
      numbers.textContent = "";
      hint(numbers, "");
    }
  }

  function color() {
    for (const { figure } of cards.values()) figure.classList.remove("sl-stale");
    const known = [...cards.values()].map((one) => one.view).filter(Boolean);
    if (known.length) tell(known);
    wait = 500;
    open();
  }

  document.addEventListener("streetloop-away", ({ detail: is }) => (is ? gray() : color()));

  // The order and choice of cards; cards move only if the order changed, or pictures would flicker.
  function arrange(place, cameras) {
    bar(place, cameras);
    const text = choice.text.trim().toLowerCase();
    const chosen = cameras.filter((one) => (!choice.city || one.city === choice.city) && (!text || one.id.toLowerCase().includes(text) || (one.city || "").toLowerCase().includes(text)));
    if (choice.bad) chosen.sort((a, b) => isWell(a) - isWell(b));
    const wanted = chosen.map((one) => card(one.id).figure);
    const now = [...place.querySelectorAll(":scope > figure")];
    if (now.length !== wanted.length || now.some((one, k) => one !== wanted[k])) {
      for (const one of now) if (!wanted.includes(one)) one.remove();
      wanted.forEach((one) => place.append(one));
    }
    const size = choice.size || (cameras.length <= 6 ? "large" : cameras.length <= 20 ? "medium" : "small");
    place.style.setProperty("--sl-card", `${SIZES[size]}rem`);
    place.dataset.size = size;
    const none = place.querySelector(".sl-none");
    if (none) none.hidden = wanted.length > 0 || !cameras.length;
  }

  function choose(given, cameras) {
    Object.assign(choice, given);
    try { localStorage.setItem(WALL, JSON.stringify(choice)); } catch { /* it holds for this page alone */ }
    arrange(wall(), cameras());
  }

  function bar(place, cameras) {
    if (only() || cameras.length < 2) return place.querySelector(".sl-wallbar")?.remove();
    const cities = [...new Set(cameras.map((one) => one.city).filter(Boolean))].sort();
    let found = place.querySelector(".sl-wallbar");
    if (!found) {
      const all = () => [...cards.values()].map((one) => one.view).filter(Boolean);
      const text = make("input", { type: "search", placeholder: "find a camera", "aria-label": "find a camera", oninput: (event) => choose({ text: event.target.value }, all) });
      const city = make("select", { "aria-label": "city", onchange: (event) => choose({ city: event.target.value }, all) });
      const size = make("select", { "aria-label": "size of pictures", onchange: (event) => choose({ size: event.target.value }, all) },
        make("option", { value: "" }, "size: automatic"), ...Object.keys(SIZES).map((name) => make("option", { value: name, selected: name === choice.size }, name)));
      const bad = make("input", { type: "checkbox", checked: choice.bad, onchange: (event) => choose({ bad: event.target.checked }, all) });
      found = make("div", { className: "sl-wallbar" }, text, city, size, make("label", {}, bad, " problems first"), make("span", { className: "sl-note", role: "status" }));
      place.prepend(found);
      found.after(make("p", { className: "sl-note sl-none", hidden: true }, "No camera is like this."));
    }
    const city = found.querySelector("select");
    if (city.dataset.cities !== JSON.stringify(cities)) {
      city.dataset.cities = JSON.stringify(cities);
      if (!cities.includes(choice.city)) choice.city = "";
      city.replaceChildren(make("option", { value: "" }, "all cities"), ...cities.map((name) => make("option", { value: name, selected: name === choice.city }, name)));
    }
    city.title = choice.city; // of a long name the field shows the begin
    city.hidden = cities.length < 2;
    const ill = cameras.filter((one) => !isWell(one)).length;
    const status = ill ? `${ill} of ${cameras.length} with a problem` : "";
    if (found.lastChild.textContent !== status) found.lastChild.textContent = status;
  }

  function open() {
    if (socket || !visible()) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const mine = new WebSocket(`${scheme}://${location.host}/live`);
    socket = mine;
    asked = "";
    mine.binaryType = "arraybuffer";
    let before = Promise.resolve();
    // The server sends the first round unasked; these two requests keep it busy while we decode.
    mine.onopen = () => { mine.send(only() ? answer() : "next"); mine.send("next"); };
    mine.onmessage = async (message) => {
      wait = 500;
      document.dispatchEvent(new Event("streetloop-answered"));
      await before;
      // One round is decoded at a time: a slow browser asks less often.
      if (!visible()) mine.close();
      else if (mine.readyState === WebSocket.OPEN) mine.send(answer());
      before = take(message.data);
    };
    mine.onclose = () => {
      socket = null;
      wait = Math.min(2 * wait, 8000);
      if (visible()) document.dispatchEvent(new Event("streetloop-lost"));
    };
  }

  (function look() { open(); setTimeout(look, socket ? 500 : wait); })();
})();
