// Shows the review queue in #sl-review, opens a frame with its boxes, and takes labels where the
// labeler is the app.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const COLORS = ["#38bdf8", "#f59e0b", "#34d399", "#fb7185", "#c4b5fd", "#facc15", "#f0abfc"];
  const PAGE = 24, REFRESH_MS = 10000, STEP = 2, FEW = 9, NAME = "streetloop-name";
  const STATES = ["", "pending", "pushed", "labeled", "in dataset", "rejected", "candidate"];
  const SAID = { pending: "waits to be asked", pushed: "waits for an answer" };
  let root = null, parts = {}, frames = [], more = false, state = "", queue = null, versions = [], loaded = 0;
  let open = null, boxes = [], chosen = -1, dirty = false, last = "", asked = "";

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

  function draw(tag, given) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    return made;
  }

  async function ask(path, options) {
    const answer = await fetch(path, options);
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.detail || body.title || `the server answers ${answer.status}`);
    return body;
  }

  const color = (frame, name) => COLORS[Math.max(0, frame.classes.indexOf(name)) % COLORS.length];
  const chip = (text, kind = "plain", title = "") => make("span", { className: `sl-chip sl-${kind}`, ...(title ? { tabIndex: 0, "data-hint": title } : {}) }, text);
  const moment = (text) => make("time", { dateTime: text, title: text }, new Date(text).toLocaleString([], { dateStyle: "short", timeStyle: "short" }));
  const say = (text, bad = false) => Object.assign(parts.said, { textContent: text, className: bad ? "sl-chip sl-bad" : "sl-note" });
  const canLabel = () => queue?.people === "app" && document.body.dataset.role !== "viewer" && ["pending", "pushed", "labeled", "in dataset", "rejected"].includes(open?.state);

  function outlines(frame, found) {
    const svg = draw("svg", { viewBox: `0 0 ${frame.width} ${frame.height}`, "aria-hidden": "true" });
    for (const box of found) {
      const [x1, y1, x2, y2] = box.xyxy;
      svg.append(draw("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, stroke: color(frame, box.class) }));
    }
    return svg;
  }

  // The list

  function thumb(frame) {
    const image = make("img", { loading: "lazy", alt: "", src: `/reviews/${frame.digest}/image.jpg`, width: frame.width, height: frame.height });
    const gone = frame.state === "expired";
    const name = `frame of ${frame.camera_id}, ${frame.state}, ${(frame.label || frame.boxes).length} boxes`;
    const picture = gone ? make("p", { className: "sl-note sl-nothing" }, "expired")
      : make("button", { type: "button", className: "sl-boxed", "aria-label": `open the ${name}`, onclick: () => show(frame.digest) }, image, outlines(frame, frame.label || frame.boxes));
    const who = frame.labeler ? [make("span", { className: "sl-note" }, `by ${frame.labeler}`)] : [];
    const wrong = frame.note || frame.doubt;
    const figure = make("figure", {}, picture, make("figcaption", {}, chip(frame.reason, "busy", `why it was chosen; score ${frame.score.toFixed(2)}`), chip(frame.state),
      make("span", {}, make("bdi", {}, frame.camera_id), ", ", moment(frame.captured_at)), ...who, ...(wrong ? [make("span", { className: "sl-note" }, wrong)] : [])));
    figure.dataset.digest = frame.digest;
    return figure;
  }

  async function list(fresh = true) {
    loaded = Date.now();
    const many = fresh ? Math.max(PAGE, frames.length) : PAGE;
    const query = new URLSearchParams({ limit: Math.min(200, many), offset: fresh ? 0 : frames.length });
    if (state) query.set("state", state);
    try {
      const [page, numbers] = await Promise.all([ask(`/reviews?${query}`), ask("/queue")]);
      frames = fresh ? page.items : [...frames, ...page.items];
      [more, queue] = [page.more, numbers];
      const seen = JSON.stringify(frames.map((one) => [one.digest, one.state, one.label]));
      if (seen !== asked) parts.list.replaceChildren(...frames.map(thumb));
      asked = seen;
      parts.more.hidden = !more;
      parts.none.hidden = frames.length > 0;
      parts.begin.hidden = queue.people !== "app" || !(queue.counts.pending + queue.counts.pushed);
      parts.budget.textContent = `${queue.chosen_today} of ${queue.budget} frames of today are chosen.`;
      parts.trouble.textContent = "";
    } catch (error) {
      parts.trouble.textContent = `Not available: ${error.message}`;
    }
  }

  // One frame

  async function show(digest) {
    try {
      open = await ask(`/reviews/${digest}`);
      if (!versions.length) versions = (await ask("/models")).items;
    } catch (error) {
      parts.trouble.textContent = error.message;
      return;
    }
    if (!queue) queue = await ask("/queue");
    boxes = structuredClone(open.label || open.boxes);
    [chosen, dirty] = [-1, false];
    last = open.asked.includes(last) ? last : open.asked[0] || "";
    parts.title.replaceChildren(make("bdi", {}, open.camera_id), ", ", moment(open.captured_at));
    parts.image.src = `/reviews/${open.digest}/image.jpg`;
    parts.stage.style.aspectRatio = `${open.width} / ${open.height}`;
    parts.drawing.setAttribute("viewBox", `0 0 ${open.width} ${open.height}`);
    parts.before.parentElement.hidden = !open.label;
    parts.before.checked = false;
    const version = versions.find((one) => one.dataset && one.dataset === open.dataset);
    const links = [];
    if (open.url && /^https?:/.test(open.url)) links.push(make("a", { className: "sl-link", href: open.url, target: "_blank", rel: "noreferrer" }, "This task in Label Studio"));
    if (version) links.push(make("a", { className: "sl-link", href: `/app/versions/${version.number}` }, `It trained version ${version.number}`));
    links.push(make("a", { className: "sl-link", href: `/app/cameras/${encodeURIComponent(open.camera_id)}` }, "Its camera"));
    const who = open.label ? `labelled by ${open.labeler || "somebody"}${open.answered_at ? `, ${new Date(open.answered_at).toLocaleString()}` : ""}` : SAID[open.state] || open.state;
    parts.facts.replaceChildren(chip(open.reason, "busy"), chip(open.state), make("span", { className: "sl-note" }, `${who}; boxes of ${open.model}`), ...links);
    const is = canLabel();
    for (const one of parts.tools) one.hidden = !is;
    offer(open.asked);
    say(is ? "" : queue.people === "app" ? "" : queue.people === "none" ? "No labeler is set, so it cannot be labelled here; labeler: app in the settings changes that." : `Labels come from ${queue.people}.`);
    parts.dialog.dataset.digest = open.digest;
    if (!parts.dialog.open) parts.dialog.showModal();
    history.replaceState(null, "", `#review/${open.digest.slice(0, 12)}`);
    paint();
  }

  function paint() {
    const shown = parts.before.checked ? open.boxes : boxes;
    const unit = open.width / (parts.stage.clientWidth || open.width);
    const made = [];
    shown.forEach((box, k) => {
      const [x1, y1, x2, y2] = box.xyxy, own = color(open, box.class), is = k === chosen && !parts.before.checked;
      const rect = draw("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, stroke: own, class: is ? "sl-box sl-chosen" : "sl-box", fill: own,
        ...(canLabel() ? { tabindex: 0, role: "button" } : { role: "img" }), "aria-label": `${box.class}${box.confidence < 1 ? ` ${box.confidence.toFixed(2)}` : ""}` });
      rect.addEventListener("pointerdown", (event) => grab(event, k));
      rect.addEventListener("focus", () => { if (chosen !== k) choose(k); });
      const label = draw("text", { x: x1 + 2 * unit, y: Math.max(12 * unit, y1 - 4 * unit), "font-size": 13 * unit, class: "sl-label" });
      label.textContent = box.class + (box.confidence < 1 ? ` ${box.confidence.toFixed(2)}` : "");
      made.push(rect, label);
    });
    if (canLabel() && chosen >= 0 && !parts.before.checked) {
      const side = boxes[chosen].xyxy;
      for (const [i, j] of [[0, 1], [2, 1], [2, 3], [0, 3]]) {
        const dot = draw("circle", { cx: side[i], cy: side[j], r: 6 * unit, class: "sl-dot" });
        dot.addEventListener("pointerdown", (event) => follow(event, ([x, y]) => { side[i] = x; side[j] = y; changed(); }, settle));
        made.push(dot);
      }
    }
    const had = parts.drawing.contains(document.activeElement);
    parts.drawing.replaceChildren(...made);
    if (had) focus();
    parts.count.textContent = `${shown.length} ${shown.length === 1 ? "box" : "boxes"}`;
  }

  const focus = () => parts.drawing.querySelector(".sl-chosen")?.focus();

  // A button a class; a list where there are too many for the digits.
  function offer(names) {
    const button = (name, k) => make("label", { className: "sl-class", style: `--sl-own: ${color(open, name)}` },
      make("input", { type: "radio", name: "sl-class", value: name, onchange: () => rename(name) }), make("kbd", {}, `${k + 1}`), make("bdi", {}, name));
    const list = () => make("select", { "aria-label": "class", onchange: (event) => rename(event.target.value) },
      ...names.map((name, k) => make("option", { value: name }, k < FEW ? `${k + 1} ${name}` : name)));
    const buttons = () => make("div", { className: "sl-classes", role: "radiogroup", "aria-label": "class" }, ...names.map(button));
    parts.classes.replaceChildren(names.length > FEW ? list() : buttons());
    mark();
  }

  function mark() {
    for (const one of parts.classes.querySelectorAll("input")) one.checked = one.value === last;
    for (const one of parts.classes.querySelectorAll("select")) one.value = last;
  }

  function choose(k) {
    chosen = k;
    if (k >= 0) { last = boxes[k].class; mark(); }
    paint();
  }

  function changed() {
    dirty = true;
    if (chosen >= 0) boxes[chosen].confidence = 1;
    paint();
  }

  const place = (event) => {
    const found = parts.drawing.getBoundingClientRect();
    const at = (value, most) => Math.round(10 * Math.min(most, Math.max(0, value))) / 10;
    return [at((event.clientX - found.left) / found.width * open.width, open.width), at((event.clientY - found.top) / found.height * open.height, open.height)];
  };

  function follow(event, move, done) {
    event.preventDefault();
    event.stopPropagation();
    parts.drawing.setPointerCapture(event.pointerId);
    const moved = (one) => move(place(one));
    const ended = () => {
      parts.drawing.removeEventListener("pointermove", moved);
      parts.drawing.removeEventListener("pointerup", ended);
      parts.drawing.removeEventListener("pointercancel", ended);
      done();
    };
    parts.drawing.addEventListener("pointermove", moved);
    parts.drawing.addEventListener("pointerup", ended);
    parts.drawing.addEventListener("pointercancel", ended);
  }

  // Sides in order; what is smaller than 3 pixels was a click.
  function settle() {
    const [x1, y1, x2, y2] = boxes[chosen].xyxy;
    boxes[chosen].xyxy = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
    const [a, b, c, d] = boxes[chosen].xyxy;
    if (c - a < 3 || d - b < 3) { boxes.splice(chosen, 1); chosen = -1; }
    paint();
    focus();
  }

  function grab(event, k) {
    if (!canLabel() || parts.before.checked) return;
    choose(k);
    let from = place(event);
    follow(event, (at) => { shift(at[0] - from[0], at[1] - from[1]); from = at; }, () => { paint(); focus(); });
  }

  function begin(event) {
    if (!canLabel() || parts.before.checked) return;
    const [x, y] = place(event);
    boxes.push({ class: last, xyxy: [x, y, x, y], confidence: 1 });
    choose(boxes.length - 1);
    const side = boxes[chosen].xyxy;
    follow(event, (at) => { [side[2], side[3]] = at; changed(); }, settle);
  }

  function shift(dx, dy) {
    const side = boxes[chosen].xyxy;
    dx = Math.max(-side[0], Math.min(open.width - side[2], dx));
    dy = Math.max(-side[1], Math.min(open.height - side[3], dy));
    boxes[chosen].xyxy = [side[0] + dx, side[1] + dy, side[2] + dx, side[3] + dy].map((value) => Math.round(10 * value) / 10);
    changed();
  }

  function rename(name) {
    last = name;
    mark();
    if (chosen >= 0) { boxes[chosen].class = name; changed(); focus(); }
  }

  function remove() {
    if (chosen < 0) return;
    boxes.splice(chosen, 1);
    dirty = true;
    choose(Math.min(chosen, boxes.length - 1));
    focus();
  }

  function add() {
    const [w, h] = [open.width, open.height];
    boxes.push({ class: last, xyxy: [0.4 * w, 0.4 * h, 0.6 * w, 0.6 * h].map(Math.round), confidence: 1 });
    choose(boxes.length - 1);
    changed();
    focus();
  }

  async function send(given) {
    const by = parts.name.value.trim() || "app";
    try { localStorage.setItem(NAME, parts.name.value.trim()); } catch { /* it is asked for again */ }
    try {
      await ask(`/reviews/${open.digest}/answer`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ boxes: given, by }) });
    } catch (error) {
      return say(error.message, true);
    }
    dirty = false;
    await next();
  }

  // The next frame that waits, the first chosen first.
  async function next() {
    await list();
    const waiting = (await Promise.all(["pushed", "pending"].map((name) => ask(`/reviews?state=${name}&limit=200`)))).flatMap((page) => page.items).filter((one) => one.digest !== open?.digest);
    const ranked = waiting.sort((a, b) => (a.rank ?? 1e9) - (b.rank ?? 1e9));
    if (ranked.length) return show(ranked[0].digest);
    parts.dialog.close();
    parts.trouble.textContent = "No frame waits for an answer.";
  }

  function key(event) {
    const isTyped = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "radio";
    if (!open || !canLabel() || isTyped) return;
    const arrows = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const digit = /^[1-9]$/.test(event.key) ? open.asked[Number(event.key) - 1] : null;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrows[event.key] && chosen >= 0) {
      const [dx, dy] = arrows[event.key];
      if (event.shiftKey) { boxes[chosen].xyxy[2] = Math.min(open.width, Math.max(boxes[chosen].xyxy[0] + 3, boxes[chosen].xyxy[2] + dx)); boxes[chosen].xyxy[3] = Math.min(open.height, Math.max(boxes[chosen].xyxy[1] + 3, boxes[chosen].xyxy[3] + dy)); changed(); }
      else shift(dx, dy);
      focus();
    } else if (event.key === "Delete" || event.key === "Backspace") remove();
    else if (digit) rename(digit);
    else if (event.key === "n") add();
    else if (event.key === "s") send(boxes);
    else if (event.key === "0") send([]);
    else if (event.key === "k") send(null);
    else return;
    event.preventDefault();
  }

  function build() {
    const button = (text, onclick, title, more = {}) => make("button", { type: "button", onclick, title, ...more }, text);
    parts = { tools: [] };
    parts.choice = make("select", { "aria-label": "state of frames", onchange: (event) => { state = event.target.value; frames = []; list(); } },
      ...STATES.map((name) => make("option", { value: name }, name || "all but candidates")));
    parts.begin = button("Label the next frame", next, "opens the first frame that waits", { className: "sl-primary sl-operator", hidden: true });
    parts.budget = make("span", { className: "sl-note" });
    parts.trouble = make("span", { className: "sl-note", role: "status" });
    parts.list = make("div", { className: "sl-thumbs" });
    parts.none = make("div", { className: "sl-empty", hidden: true }, make("strong", {}, "No frame is like this"), make("span", {}, "Frames that the model is unsure of appear here, each with its reason."));
    parts.more = button("More frames", () => list(false), "", { hidden: true });
    parts.title = make("h2", { id: "sl-frame-title" });
    parts.image = make("img", { alt: "", draggable: false });
    parts.drawing = draw("svg", { preserveAspectRatio: "none" });
    parts.drawing.addEventListener("pointerdown", begin);
    parts.stage = make("div", { className: "sl-frame" }, parts.image, parts.drawing);
    parts.facts = make("p", { className: "sl-chips" });
    parts.count = make("span", { className: "sl-note" });
    parts.before = make("input", { type: "checkbox", onchange: paint });
    parts.classes = make("div");
    parts.name = make("input", { placeholder: "your name", "aria-label": "your name", maxLength: 60 });
    try { parts.name.value = localStorage.getItem(NAME) || ""; } catch { /* it stays empty */ }
    parts.said = make("span", { className: "sl-note", role: "status" });
    const labels = make("div", { className: "sl-row" }, button("New box", add, "n"), button("Delete box", remove, "Delete"),
      button("Save and next", () => send(boxes), "s", { className: "sl-primary" }), button("Nothing here", () => send([]), "0"), button("Skip", () => send(null), "k"), parts.name);
    const help = make("p", { className: "sl-note" }, "Drag draws a box. Tab chooses one, arrow keys move it, with Shift its far corner; 1 to 9 set the class, Delete removes, n adds, s saves, 0 nothing here, k skips, Esc closes.");
    parts.tools = [parts.classes, labels, help];
    parts.dialog = make("dialog", { id: "sl-frame", "aria-labelledby": "sl-frame-title", onclose: closed, oncancel: (event) => { if (dirty && !confirm("Close without saving?")) event.preventDefault(); } },
      make("header", {}, parts.title, button("Close", () => { if (!dirty || confirm("Close without saving?")) parts.dialog.close(); }, "Esc")), parts.facts, parts.stage,
      make("div", { className: "sl-row" }, parts.classes, parts.count, make("label", {}, parts.before, " as the model saw it")), labels, help, parts.said);
    root.replaceChildren(make("div", { className: "sl-row" }, parts.begin, parts.choice, parts.budget, parts.trouble), parts.list, parts.none, parts.more, parts.dialog);
    new ResizeObserver(() => { if (open && parts.dialog.open) paint(); }).observe(parts.stage);
  }

  document.addEventListener("keydown", (event) => { if (parts.dialog?.open) key(event); });

  function closed() {
    [open, dirty] = [null, false];
    history.replaceState(null, "", "#review");
  }

  let linked = "";
  (function look() {
    const now = document.getElementById("sl-review");
    if (now && now.offsetParent !== null && !document.hidden) {
      if (now !== root) { root = now; build(); }
      if (Date.now() - loaded > REFRESH_MS && !parts.dialog.open) list();
      const [, digest] = location.hash.slice(1).split("/");
      if (location.hash.startsWith("#review/") && digest && linked !== digest && !parts.dialog.open) { linked = digest; show(digest); }
    }
    setTimeout(look, 300);
  })();
})();
