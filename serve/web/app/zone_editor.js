// Draws counting lines, zones and masks on a still of a camera, by pointer, touch or keyboard.
// What is stored are fractions of the picture; the API checks it.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDE = 1000; // of the drawing, in its own units; its height follows the picture
  const STEP = 0.01, FINE = 0.001; // of an arrow key, and with Shift
  const KINDS = ["carriageway", "stop_line", "crosswalk", "parking", "ignore", "mask"];
  const SENT = ["uri", "city", "site", "fps", "transport", "classes", "record", "audio", "anonymise", "keep", "anomalies"];
  let root = null, parts = {}, camera = null, shapes = [], chosen = null, tool = "select", high = 562, dirty = false, wanted = null;

  const clamp = (value) => Math.min(1, Math.max(0, value));
  const round = (value) => Math.round(clamp(value) * 10000) / 10000;
  const percent = (value) => `${Math.round(value * 100)} %`;

  function make(tag, given = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name in made && name !== "list") made[name] = value;
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

  function say(text, bad = false) {
    parts.said.textContent = text;
    parts.said.className = bad ? "sl-chip sl-bad" : "sl-note";
  }

  function changed() {
    dirty = true;
    parts.save.disabled = false;
    say("not saved yet");
  }

  // Shapes and the camera's document.

  function read(view) {
    const lines = Object.entries(view.lines || {}).map(([name, line]) => {
      const { points, ...more } = Array.isArray(line) ? { points: line } : line;
      return { kind: "line", name, points, more };
    });
    const zones = Object.entries(view.zones || {}).map(([name, zone]) => (
      { kind: zone.kind, name, points: zone.polygon, direction: zone.direction || null }));
    const masks = (view.mask || []).map((polygon, k) => ({ kind: "mask", name: `mask ${k + 1}`, points: polygon }));
    return structuredClone([...lines, ...zones, ...masks]);
  }

  function written() {
    const document = { lines: {}, zones: {}, mask: [] };
    for (const name of SENT) if (camera[name] !== null && camera[name] !== undefined) document[name] = camera[name];
    for (const one of shapes) {
      const group = one.kind === "line" ? document.lines : document.zones;
      if (one.kind === "mask") document.mask.push(one.points);
      else if (one.name in group) throw new Error(`two have the name "${one.name}"`);
      else if (one.kind === "line") group[one.name] = Object.keys(one.more).length ? { points: one.points, ...one.more } : one.points;
      else group[one.name] = { kind: one.kind, polygon: one.points, ...(one.direction ? { direction: one.direction } : {}) };
    }
    return document;
  }

  async function ask(path, options = {}) {
    const answer = await fetch(path, options);
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.detail || body.title || `the server answers ${answer.status}`);
    return body;
  }

  async function save() {
    try {
      const sent = JSON.stringify(written());
      const headers = { "Content-Type": "application/json", "If-Match": camera.revision };
      camera = await ask(`/cameras/${encodeURIComponent(camera.id)}`, { method: "PUT", headers, body: sent });
      dirty = false;
      parts.save.disabled = true;
      say(`${camera.id} is saved; running streams take it up.`);
    } catch (error) {
      say(error.message, true);
    }
  }

  // The camera that was chosen last is edited, whichever answers first; until then there is none.
  async function load(id) {
    const mine = wanted = { id };
    if (camera?.id !== id) {
      [camera, shapes, chosen, dirty, parts.save.disabled, parts.still.hidden] = [null, [], null, false, true, true];
      show();
    }
    let found = null;
    try {
      found = await ask(`/cameras/${encodeURIComponent(id)}`);
    } catch (error) {
      if (wanted === mine) say(error.message, true);
      return;
    }
    if (wanted !== mine) return;
    camera = found;
    shapes = read(camera);
    [chosen, dirty, parts.save.disabled] = [null, false, true];
    say("");
    still();
    show();
  }

  function still() {
    parts.still.hidden = true;
    parts.still.src = `/cameras/${encodeURIComponent(camera.id)}/picture.jpg?at=${Date.now()}`;
  }

  async function list() {
    const found = [];
    for (let more = true; more;) {
      const page = await ask(`/cameras?limit=100&offset=${found.length}`);
      found.push(...page.items.map((one) => one.id));
      more = page.more && page.items.length > 0;
    }
    parts.choice.replaceChildren(...found.map((id) => make("option", { value: id }, id)));
    if (!found.length) return say("There is no camera yet.");
    const linked = location.hash.startsWith("#zones/") && decodeURIComponent(location.hash.slice(7));
    if (linked && found.includes(linked) && camera?.id !== linked && !dirty) await load(linked);
    if (found.includes(wanted?.id)) parts.choice.value = wanted.id;
    if (!camera || camera.id !== parts.choice.value) await load(parts.choice.value);
  }

  // Changing shapes.

  function add(kind, points) {
    const noun = kind === "line" ? "line" : "zone";
    const taken = new Set(shapes.map((one) => one.name));
    let number = 1;
    while (taken.has(`${noun} ${number}`)) number += 1;
    const made = { kind, name: `${noun} ${number}`, points: points.map((point) => point.map(round)), more: {} };
    shapes.push(made);
    chosen = made;
    pick("select");
    changed();
    show();
    parts.list.querySelector(".sl-chosen input")?.select();
  }

  const addLine = () => add("line", [[0.3, 0.6], [0.7, 0.6]]);
  const addZone = () => add("carriageway", [[0.35, 0.4], [0.65, 0.4], [0.75, 0.8], [0.25, 0.8]]);

  function remove(shape) {
    shapes = shapes.filter((one) => one !== shape);
    if (chosen === shape) chosen = null;
    changed();
    show();
  }

  function turn(shape) {
    const xs = shape.points.map(([x]) => x), ys = shape.points.map(([, y]) => y);
    const x = (Math.min(...xs) + Math.max(...xs)) / 2, low = Math.min(...ys), deep = Math.max(...ys) - low;
    shape.direction = shape.direction ? null : [[round(x), round(low + deep * 0.75)], [round(x), round(low + deep * 0.25)]];
    changed();
    show();
  }

  const every = (shape) => [...shape.points, ...(shape.direction || [])];

  function shift(shape, dx, dy) {
    const points = every(shape);
    dx = Math.max(-Math.min(...points.map(([x]) => x)), Math.min(1 - Math.max(...points.map(([x]) => x)), dx));
    dy = Math.max(-Math.min(...points.map(([, y]) => y)), Math.min(1 - Math.max(...points.map(([, y]) => y)), dy));
    for (const point of points) [point[0], point[1]] = [round(point[0] + dx), round(point[1] + dy)];
  }

  function arrow(event) {
    const step = event.shiftKey ? FINE : STEP;
    return { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  }

  // The picture: pointer events are those of mouse, pen and touch alike.

  function place(event) {
    const box = parts.drawing.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }

  function follow(event, move, done = () => {}) {
    event.preventDefault();
    event.stopPropagation();
    const pointer = event.pointerId;
    parts.drawing.setPointerCapture(pointer);
    const moved = (one) => { if (one.pointerId === pointer) move(place(one)); };
    const ended = (one) => {
      if (one.pointerId !== pointer) return;
      for (const [name, heard] of [["pointermove", moved], ["pointerup", ended], ["pointercancel", ended]]) {
        parts.drawing.removeEventListener(name, heard);
      }
      done(place(one));
    };
    for (const [name, heard] of [["pointermove", moved], ["pointerup", ended], ["pointercancel", ended]]) {
      parts.drawing.addEventListener(name, heard);
    }
  }

  function begin(event) {
    if (!camera) return;
    if (tool === "select") { chosen = null; return show(); }
    const start = place(event);
    const sketch = draw(tool === "line" ? "line" : "rect", { class: "sl-sketch" });
    parts.drawing.append(sketch);
    follow(event, ([x, y]) => {
      const given = tool === "line"
        ? { x1: start[0] * WIDE, y1: start[1] * high, x2: x * WIDE, y2: y * high }
        : { x: Math.min(x, start[0]) * WIDE, y: Math.min(y, start[1]) * high,
            width: Math.abs(x - start[0]) * WIDE, height: Math.abs(y - start[1]) * high };
      for (const [name, value] of Object.entries(given)) sketch.setAttribute(name, value);
    }, ([x, y]) => {
      sketch.remove();
      if (Math.hypot(x - start[0], y - start[1]) < 0.02) return; // a tap
      if (tool === "line") add("line", [start, [x, y]]);
      else add("carriageway", [start, [x, start[1]], [x, y], [start[0], y]]);
    });
  }

  function drag(event, shape) {
    if (tool !== "select") return;
    let [x, y] = place(event);
    if (chosen !== shape) { chosen = shape; show(); }
    let moved = false;
    follow(event, (now) => {
      shift(shape, now[0] - x, now[1] - y);
      [x, y] = now;
      moved = true;
      paint();
    }, () => { if (moved) changed(); });
  }

  function handle(shape, points, k, label) {
    const scale = WIDE / (parts.drawing.clientWidth || WIDE);
    const [x, y] = points[k];
    const made = draw("circle", { cx: x * WIDE, cy: y * high, r: 8 * scale, class: "sl-handle", tabindex: 0, role: "button",
      "aria-label": `${label} of ${shape.name}: ${percent(x)} from the left, ${percent(y)} from the top` });
    made.addEventListener("pointerdown", (event) => follow(event, (now) => {
      points[k] = now.map(round);
      paint();
    }, changed));
    made.addEventListener("keydown", (event) => {
      const by = arrow(event);
      if (by) points[k] = [round(points[k][0] + by[0]), round(points[k][1] + by[1])];
      else if (["Delete", "Backspace"].includes(event.key) && points === shape.points && points.length > 3) points.splice(k, 1);
      else return;
      event.preventDefault();
      changed();
      paint();
      parts.drawing.querySelectorAll(".sl-handle")[Math.min(k, points.length - 1)]?.focus();
    });
    return made;
  }

  function middle(shape, k) {
    const scale = WIDE / (parts.drawing.clientWidth || WIDE);
    const [a, b] = [shape.points[k], shape.points[(k + 1) % shape.points.length]];
    const point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const made = draw("circle", { cx: point[0] * WIDE, cy: point[1] * high, r: 5 * scale, class: "sl-middle", tabindex: 0,
      role: "button", "aria-label": `add a corner to ${shape.name} after corner ${k + 1}` });
    const insert = () => shape.points.splice(k + 1, 0, point.map(round));
    made.addEventListener("pointerdown", (event) => {
      insert();
      follow(event, (now) => { shape.points[k + 1] = now.map(round); paint(); }, changed);
    });
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      insert();
      changed();
      paint();
      parts.drawing.querySelectorAll(".sl-handle")[k + 1]?.focus();
    });
    return made;
  }

  // An arrow from a to b; of a line it crosses it, and shows where "in" is.
  function pointer(a, b) {
    const [x1, y1, x2, y2] = [a[0] * WIDE, a[1] * high, b[0] * WIDE, b[1] * high];
    return draw("line", { x1, y1, x2, y2, class: "sl-arrow", "marker-end": "url(#sl-head)" });
  }

  function crossing([[x1, y1], [x2, y2]]) {
    const dx = (x2 - x1) * WIDE, dy = (y2 - y1) * high, length = Math.hypot(dx, dy) || 1;
    const x = (x1 + x2) / 2, y = (y1 + y2) / 2, reach = Math.min(60, length / 3);
    return pointer([x, y], [x - (dy / length) * reach / WIDE, y + (dx / length) * reach / high]);
  }

  function paint() {
    const drawn = [];
    for (const shape of shapes) {
      const text = shape.points.map(([x, y]) => `${x * WIDE},${y * high}`).join(" ");
      const body = draw(shape.kind === "line" ? "polyline" : "polygon", {
        points: text, class: `sl-shape sl-${shape.kind}${shape === chosen ? " sl-chosen" : ""}`, tabindex: 0,
        role: "button", "aria-label": `${shape.kind.replace("_", " ")} ${shape.name}; arrow keys move it, Delete removes it` });
      body.addEventListener("pointerdown", (event) => drag(event, shape));
      body.addEventListener("focus", () => { if (chosen !== shape) { chosen = shape; mark(); } });
      body.addEventListener("keydown", (event) => {
        const by = arrow(event);
        if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); return remove(shape); }
        if (event.key === "Enter") { event.preventDefault(); chosen = shape; show(); return parts.drawing.querySelector(".sl-handle")?.focus(); }
        if (!by) return undefined;
        event.preventDefault();
        shift(shape, ...by);
        changed();
        paint();
        return parts.drawing.querySelectorAll(".sl-shape")[shapes.indexOf(shape)]?.focus();
      });
      drawn.push(body);
      const [x, y] = shape.points[0];
      const scale = WIDE / (parts.drawing.clientWidth || WIDE);
      const label = draw("text", { x: x * WIDE + 6, y: Math.max(16 * scale, y * high - 8 * scale), class: "sl-label", "font-size": 15 * scale });
      label.textContent = shape.name;
      drawn.push(label);
      if (shape.kind === "line") drawn.push(shape.more.length_m ? pointer(...shape.points) : crossing(shape.points));
      if (shape.direction) drawn.push(pointer(...shape.direction));
    }
    if (chosen) {
      if (chosen.kind !== "line") drawn.push(...chosen.points.map((_, k) => middle(chosen, k)));
      const noun = chosen.kind === "line" ? "end" : "corner";
      drawn.push(...chosen.points.map((_, k) => handle(chosen, chosen.points, k, `${noun} ${k + 1}`)));
      if (chosen.direction) drawn.push(...["start", "end"].map((end, k) => handle(chosen, chosen.direction, k, `direction's ${end}`)));
    }
    parts.shapes.replaceChildren(...drawn);
  }

  function mark() {
    [...parts.list.children].forEach((row, k) => row.classList.toggle("sl-chosen", shapes[k] === chosen));
  }

  // With a length, a line lies along the road, and what drives along it is timed.
  function metres(shape) {
    const input = make("input", { type: "number", min: 1, max: 10000, step: "any", value: shape.more.length_m ?? "",
      placeholder: "none", "aria-label": `Length of ${shape.name} on the road in metres, to time what drives along it` });
    input.addEventListener("input", () => {
      if (input.value) shape.more.length_m = Number(input.value);
      else delete shape.more.length_m;
      changed();
      paint();
    });
    return make("label", { className: "sl-metres", title: "with a length, the line lies along the road and speeds are measured" }, "length", input, "m");
  }

  function row(shape) {
    const name = make("input", { value: shape.name, maxLength: 100, "aria-label": "Name", disabled: shape.kind === "mask",
      oninput: (event) => { shape.name = event.target.value.trim(); changed(); paint(); } });
    const kind = make("select", { "aria-label": `Kind of ${shape.name}`, onchange: (event) => {
      shape.kind = event.target.value;
      if (shape.kind === "mask") shape.direction = null;
      changed();
      show();
    } }, ...KINDS.map((one) => make("option", { value: one, selected: one === shape.kind }, one.replace("_", " "))));
    const way = make("button", { type: "button", onclick: () => turn(shape) }, shape.direction ? "No direction" : "Direction");
    const swap = make("button", { type: "button", onclick: () => { shape.points.reverse(); changed(); paint(); } }, "Turn round");
    const gone = make("button", { type: "button", "aria-label": `Delete ${shape.name}`, onclick: () => remove(shape) }, "Delete");
    const tools = shape.kind === "line" ? [make("span", {}, "counting line"), metres(shape), swap] : [kind, ...(shape.kind === "mask" ? [] : [way])];
    return make("li", { onfocusin: () => { if (chosen !== shape) { chosen = shape; mark(); paint(); } } }, name, ...tools, gone);
  }

  function show() {
    parts.list.replaceChildren(...shapes.map(row));
    mark();
    paint();
  }

  function pick(name) {
    tool = name;
    parts.drawing.classList.toggle("sl-drawing", name !== "select");
    for (const [each, button] of Object.entries(parts.tools)) button.setAttribute("aria-pressed", each === name);
  }

  function build() {
    const tools = { select: "Select", line: "Draw a line", zone: "Draw a zone" };
    parts = { tools: {} };
    for (const [name, text] of Object.entries(tools)) {
      parts.tools[name] = make("button", { type: "button", onclick: () => pick(name), onkeydown: (event) => {
        if (event.key !== "Enter" || name === "select" || !camera) return;
        event.preventDefault();
        (name === "line" ? addLine : addZone)(); // nobody draws with a keyboard: it comes with a shape to move
      } }, text);
    }
    parts.choice = make("select", { "aria-label": "Camera", onchange: (event) => {
      if (dirty && !confirm("Leave without saving?")) event.target.value = wanted.id;
      else load(event.target.value);
    } });
    parts.save = make("button", { type: "button", className: "sl-primary", disabled: true, onclick: save }, "Save");
    const fresh = make("button", { type: "button", onclick: () => { if (camera) still(); } }, "New still");
    const back = make("button", { type: "button", onclick: () => { if (wanted) load(wanted.id); } }, "Undo all");
    parts.still = make("img", { alt: "still of the camera", draggable: false, onload: (event) => {
      high = WIDE * event.target.naturalHeight / event.target.naturalWidth;
      parts.drawing.setAttribute("viewBox", `0 0 ${WIDE} ${high}`);
      event.target.hidden = false;
      paint();
    }, onerror: () => say("The camera shows no picture now; its shapes can be changed all the same.") });
    parts.drawing = draw("svg", { viewBox: `0 0 ${WIDE} ${high}`, preserveAspectRatio: "none" });
    const head = draw("marker", { id: "sl-head", viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 5, markerHeight: 5, orient: "auto" });
    head.append(draw("path", { d: "M0 0 10 5 0 10z", class: "sl-head" }));
    const kept = draw("defs", {});
    kept.append(head);
    parts.shapes = draw("g", {});
    parts.drawing.append(kept, parts.shapes);
    parts.drawing.addEventListener("pointerdown", begin);
    parts.list = make("ul", { className: "sl-shapes" });
    parts.said = make("p", { className: "sl-note", role: "status" });
    const bar = (...inside) => make("div", { className: "sl-bar" }, ...inside);
    root.replaceChildren(bar(parts.choice, ...Object.values(parts.tools), fresh), make("div", { className: "sl-still" }, parts.still, parts.drawing),
      parts.list, bar(parts.save, back, parts.said));
    new ResizeObserver(() => { if (camera) paint(); }).observe(parts.drawing);
    pick("select");
  }

  (function look() {
    const now = document.getElementById("sl-editor");
    const shown = now && now.offsetParent !== null;
    if (shown && now !== root) { root = now; build(); }
    if (shown && !root.dataset.shown) list().catch((error) => say(error.message, true));
    if (root) { if (shown) root.dataset.shown = 1; else delete root.dataset.shown; }
    setTimeout(look, 300);
  })();
})();
