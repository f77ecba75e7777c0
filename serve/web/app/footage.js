// Draws the days of recorded cameras into #sl-footage, and plays what is clicked.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const REFRESH_MS = 10000;
  const SNAP_PX = 8;
  const SHOWN_S = 2.5; // boxes are shown until the next ones; the gate looks again after two seconds
  const COLORS = ["#14b8a6", "#f59e0b", "#3b82f6", "#f43f5e", "#8b5cf6", "#84cc16"];
  const HEVC = 'video/mp4; codecs="hvc1.1.6.L93.B0"';

  let day = null; // as the server gave it
  let camera = null; // that is played
  let segments = []; // of it, from the one that plays on
  let current = null; // the segment that plays
  let frames = []; // with boxes, of that segment
  let clicked = 0;
  let waiting = false; // for the first picture after a click
  let aim = null; // second of the segment that is asked for; null once it shows
  let asking = 0;
  let loading = false;
  let wanted = null; // camera that the address names

  const place = () => document.getElementById("sl-footage");
  const visible = () => place() && place().offsetParent !== null && !document.hidden;
  const part = (name) => place().querySelector(name);
  const video = () => part("video");
  const length = () => (Date.parse(day.end) - Date.parse(day.start)) / 1000;
  const moment = (second) => new Date(Date.parse(day.start) + 1000 * second);
  const inZone = (when) => when.toLocaleTimeString("en-GB", { timeZone: day.zone });

  async function ask(path) {
    const answer = await fetch(path);
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.detail || answer.statusText);
    return found;
  }

  function element(name, values = {}, ...children) {
    const made = document.createElement(name);
    Object.assign(made, values);
    made.append(...children);
    return made;
  }

  function rect(kind, start, end, least, title) {
    const made = document.createElementNS(SVG, "rect");
    made.setAttribute("class", kind);
    made.setAttribute("x", start);
    made.setAttribute("width", Math.max(end - start, least));
    const [y, height] = { "sl-recorded": [4, 16], "sl-moving": [4, 16], "sl-hole": [4, 16], "sl-happened": [0, 24] }[kind];
    made.setAttribute("y", y);
    made.setAttribute("height", height);
    if (title) made.append(Object.assign(document.createElementNS(SVG, "title"), { textContent: title }));
    return made;
  }

  // A second, or the nearest one that was recorded: a finger is wider than a minute.
  function snapped(recorded, second, near) {
    let best = second;
    for (const [a, b] of recorded) {
      if (second >= a && second < b) return second;
      const nearest = second < a ? a : Math.max(a, b - 1);
      if (Math.abs(nearest - second) <= near) {
        best = nearest;
        near = Math.abs(nearest - second);
      }
    }
    return best;
  }

  // The bar of a camera between two seconds of the day.
  function bar(one, start, end) {
    const made = document.createElementNS(SVG, "svg");
    made.setAttribute("viewBox", `${start} 0 ${end - start} 24`);
    made.setAttribute("preserveAspectRatio", "none");
    const least = (end - start) / 900;
    const add = (kind, stretches) => {
      for (const [a, b] of stretches) if (b > start && a < end) made.append(rect(kind, a, b, least));
    };
    add("sl-recorded", one.recorded);
    add("sl-moving", one.motion);
    add("sl-hole", one.gaps);
    for (const event of one.events) {
      if (event.end >= start && event.start < end) {
        const title = `${event.kind}, ${inZone(moment(event.start))} to ${inZone(moment(event.end))}`;
        made.append(rect("sl-happened", event.start, event.end, 2 * least, title));
      }
    }
    const head = document.createElementNS(SVG, "line");
    head.setAttribute("class", "sl-head");
    for (const [name, value] of Object.entries({ y1: 0, y2: 24, x1: -9, x2: -9 })) head.setAttribute(name, value);
    made.append(head);
    return made;
  }

  function track(one, start, end) {
    const holder = element("div", { className: "sl-bar", tabIndex: 0 }, bar(one, start, end));
    holder.dataset.camera = one.camera_id;
    Object.assign(holder.dataset, { start, end });
    holder.setAttribute("role", "slider");
    holder.setAttribute("aria-label", `footage of ${one.camera_id}`);
    holder.setAttribute("aria-valuemin", start);
    holder.setAttribute("aria-valuemax", end);
    holder.setAttribute("aria-valuenow", Math.round(secondNow(one.camera_id) ?? start));
    const at = (event) => {
      const box = holder.getBoundingClientRect();
      return start + ((event.clientX - box.left) / box.width) * (end - start);
    };
    holder.addEventListener("click", (event) => {
      const near = (SNAP_PX * (end - start)) / holder.clientWidth;
      play(one.camera_id, snapped(one.recorded, at(event), near));
    });
    holder.addEventListener("mousemove", (event) => { holder.title = inZone(moment(at(event))); });
    holder.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -10, ArrowUp: 10 }[event.key];
      if (!step && event.key !== "Enter") return;
      event.preventDefault();
      const before = secondNow(one.camera_id) ?? (one.recorded[0] || [start])[0];
      play(one.camera_id, Math.min(end, Math.max(start, before + ((step || 0) * (end - start)) / 1440)));
    });
    return holder;
  }

  function ticks(start, end, count) {
    const made = element("div", { className: "sl-ticks" });
    for (let k = 0; k <= count; k += 1) {
      const when = moment(start + (k * (end - start)) / count);
      made.append(element("span", { textContent: k === count && count === 8 ? "24:00" : inZone(when).slice(0, 5) }));
    }
    return made;
  }

  function draw() {
    const rows = day.cameras.map((one) => {
      const hours = one.recorded.reduce((sum, [a, b]) => sum + b - a, 0) / 3600;
      const name = element("strong", { textContent: one.camera_id, title: one.camera_id });
      const told = `${hours >= 1 ? `${hours.toFixed(1)} h` : `${Math.round(60 * hours)} min`}`;
      const label = element("div", { className: "sl-day-name" }, name, element("span", { className: "sl-numbers", textContent: told }));
      return element("div", { className: one.camera_id === wanted ? "sl-day sl-wanted" : "sl-day" }, label, track(one, 0, length()));
    });
    const focus = document.activeElement?.dataset?.camera;
    if (rows.length) rows.push(element("div", { className: "sl-day" }, element("div"), ticks(0, length(), 8)));
    part("#sl-days").replaceChildren(...rows);
    if (focus) part(`#sl-days [data-camera="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
    const lacks = wanted !== null && !day.cameras.some((one) => one.camera_id === wanted);
    part("#sl-days-note").textContent = lacks ? `Nothing of ${wanted} was recorded on this day. What is recorded of it is chosen under Cameras, at Record.`
      : rows.length ? ""
      : "Nothing was recorded on this day. What is recorded of a camera is chosen under Cameras, at Record.";
    drawHour();
    point();
  }

  function drawHour() {
    const one = day.cameras.find((other) => other.camera_id === camera);
    const second = secondNow(camera);
    if (!one || second === null) return;
    const start = 3600 * Math.floor(second / 3600);
    part(".sl-hour").replaceChildren(track(one, start, start + 3600), ticks(start, start + 3600, 6));
  }

  // Second of the day that is shown; null if that camera does not play.
  function secondNow(id) {
    if (!current || id !== camera) return null;
    return (Date.parse(current.start) - Date.parse(day.start)) / 1000 + (aim ?? video().currentTime);
  }

  function point() {
    for (const holder of place().querySelectorAll(".sl-bar")) {
      const second = secondNow(holder.dataset.camera);
      const head = holder.querySelector(".sl-head");
      for (const name of ["x1", "x2"]) head.setAttribute(name, second === null ? -9 : second);
      if (second === null) continue;
      holder.setAttribute("aria-valuenow", Math.round(second));
      holder.setAttribute("aria-valuetext", inZone(moment(second)));
      const isHour = holder.parentElement.className === "sl-hour";
      if (isHour && (second < Number(holder.dataset.start) || second >= Number(holder.dataset.end))) return drawHour();
    }
  }

  async function load() {
    if (loading) return;
    loading = true;
    const asked = part("#sl-day").value;
    try {
      const found = await ask(`/archive/day${asked ? `?day=${asked}` : ""}`);
      if (part("#sl-day").value === asked) {
        day = found;
        if (!asked) part("#sl-day").value = day.day;
        draw();
      }
    } catch (error) {
      part("#sl-days-note").textContent = error.message;
    } finally {
      loading = false;
    }
  }

  const say = (text) => { part(".sl-said").textContent = text; };

  async function play(id, second) {
    clicked = performance.now();
    const mine = (asking += 1);
    part("#sl-player").hidden = false;
    part(".sl-camera").textContent = id;
    say("");
    const from = moment(second).toISOString();
    const to = moment(second + 7200).toISOString();
    let found;
    try {
      found = await ask(`/cameras/${encodeURIComponent(id)}/archive?from=${from}&to=${to}`);
    } catch (error) {
      return say(error.message);
    }
    if (mine !== asking) return;
    if (!found.length) return say("Nothing was recorded here, nor in the two hours after it.");
    camera = id;
    segments = found;
    waiting = true; // not before: until here what played before goes on
    start(Math.max(0, (Date.parse(from) - Date.parse(found[0].start)) / 1000));
    fill(id);
    drawHour();
    part("#sl-player").scrollIntoView({ block: "nearest" });
  }

  function start(second) {
    current = segments.shift();
    aim = second;
    frames = [];
    overlay(second); // the boxes of what played before are gone
    const foreign = current.codec !== "h264" && (current.codec !== "hevc" || !video().canPlayType(HEVC));
    const isKnown = current.codec === "vp9" || current.codec === "av1";
    const query = foreign && !isKnown ? "?codec=h264" : "";
    if (query) say(`${current.codec} is encoded as H.264 for this browser; that takes seconds.`);
    const key = current.key.split("/").map(encodeURIComponent).join("/");
    video().src = `/archive/segments/${key}${query}`;
    video().currentTime = second; // it begins there
    video().play().catch(() => {}); // a click on the picture starts it
    const mine = current;
    ask(`/archive/boxes/${key}`).then((one) => {
      if (mine === current) { frames = one.frames; overlay(video().currentTime); }
    }).catch((error) => { if (mine === current) say(`no boxes: ${error.message}`); });
  }

  function shown(_, { mediaTime }) {
    video().requestVideoFrameCallback(shown);
    if (!current || (aim !== null && Math.abs(mediaTime - aim) > 0.5)) return; // of what played before
    aim = null;
    if (waiting) {
      waiting = false;
      place().dataset.firstPictureMs = Math.round(performance.now() - clicked);
      say("");
    }
    overlay(mediaTime);
    part(".sl-clock").textContent = inZone(moment(secondNow(camera)));
    point();
  }

  function overlay(second) {
    const [film, canvas] = [video(), part("canvas")];
    const scale = devicePixelRatio || 1;
    const [width, height] = [film.clientWidth * scale, film.clientHeight * scale];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    let found = null;
    for (const frame of frames) {
      if (frame.second > second + 0.025) break;
      found = frame;
    }
    const is = part(".sl-boxes").checked && found && second - found.second <= SHOWN_S && film.videoWidth;
    place().dataset.boxes = is ? found.boxes.length : 0;
    if (!is) return;
    // The film keeps its shape within the element.
    const zoom = Math.min(width / film.videoWidth, height / film.videoHeight);
    const [left, top] = [(width - zoom * film.videoWidth) / 2, (height - zoom * film.videoHeight) / 2];
    pen.lineWidth = 2 * scale;
    pen.font = `${12 * scale}px system-ui, sans-serif`;
    for (const { xyxy, name, confidence, track: number } of found.boxes) {
      const [x1, y1, x2, y2] = xyxy.map((value, k) => zoom * value + (k % 2 ? top : left));
      const color = COLORS[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % COLORS.length];
      const text = `${name} ${number === null ? "" : `#${number} `}${confidence.toFixed(2)}`;
      pen.strokeStyle = pen.fillStyle = color;
      pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
      if (x2 - x1 < 24 * scale) continue; // the text would hide its neighbors
      pen.fillRect(x1 - scale, Math.max(0, y1 - 15 * scale), pen.measureText(text).width + 6 * scale, 15 * scale);
      pen.fillStyle = "#0b0f14";
      pen.fillText(text, x1 + 2 * scale, Math.max(0, y1 - 15 * scale) + 11.5 * scale);
    }
  }

  async function next() {
    if (segments.length) return start(0);
    const over = current;
    const second = (Date.parse(over.end) - Date.parse(day.start)) / 1000;
    await play(camera, second + 0.05);
    if (current === over) say("This is the end of what is recorded.");
  }

  // The stretch of an export begins where was clicked, and lasts a minute.
  function fill(id) {
    const begin = secondNow(id) ?? 0;
    const at = Math.max(0, (Date.parse(current.start) - Date.parse(day.start)) / 1000, begin);
    part(".sl-from").value = inZone(moment(at));
    part(".sl-to").value = inZone(moment(Math.min(length() - 1, at + 60)));
  }

  async function exported(link) {
    const [from, to] = [part(".sl-from").value, part(".sl-to").value];
    if (!from || !to || !camera) return;
    const query = new URLSearchParams({ from: `${day.day}T${from}`, to: `${day.day}T${to}`, form: link.dataset.form });
    if (part(".sl-drawn").checked) query.set("boxes", "true");
    link.setAttribute("aria-busy", "true");
    say("The export is being written.");
    try {
      const answer = await fetch(`/cameras/${encodeURIComponent(camera)}/archive/export?${query}`);
      if (!answer.ok) throw new Error((await answer.json()).detail);
      const url = URL.createObjectURL(await answer.blob());
      const name = `${camera}_${day.day}_${from}-${to}.${link.dataset.form}`.replaceAll(":", "");
      element("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      say(`${name} is written.`);
    } catch (error) {
      say(error.message);
    } finally {
      link.removeAttribute("aria-busy");
    }
  }

  function step(days) {
    const one = new Date(`${part("#sl-day").value || new Date().toISOString().slice(0, 10)}T12:00:00Z`);
    one.setUTCDate(one.getUTCDate() + days);
    part("#sl-day").value = one.toISOString().slice(0, 10);
    load();
  }

  function wire() {
    place().dataset.wired = "1";
    for (const button of place().querySelectorAll(".sl-step")) button.addEventListener("click", () => step(Number(button.dataset.step)));
    part("#sl-day").addEventListener("change", load);
    part(".sl-boxes").addEventListener("change", () => overlay(video().currentTime));
    part(".sl-full").addEventListener("click", () => part(".sl-stage").requestFullscreen());
    video().requestVideoFrameCallback(shown);
    video().addEventListener("ended", next);
    video().addEventListener("error", () => { if (current) say("This browser cannot play the segment; export it."); });
    for (const link of place().querySelectorAll("[data-form]")) {
      link.addEventListener("click", () => exported(link));
      link.addEventListener("keydown", (event) => { if (event.key === "Enter") exported(link); });
    }
    new ResizeObserver(() => overlay(video().currentTime)).observe(video());
  }

  // #recordings/CAMERA shows its row; with /MOMENT after it, that moment is played.
  async function lead(id, at) {
    wanted = id;
    const when = new Date(at || NaN);
    if (!Number.isNaN(when.getTime())) {
      const its = when.toLocaleDateString("en-CA", { timeZone: day.zone });
      part("#sl-day").value = its;
      if (its !== day.day) await load();
      draw();
      return play(id, (when - Date.parse(day.start)) / 1000);
    }
    draw();
    const row = part(`#sl-days [data-camera="${CSS.escape(id)}"]`);
    row?.scrollIntoView({ block: "center" });
    row?.focus({ preventScroll: true });
  }

  let loaded = 0, linked = "";
  (function look() {
    if (visible()) {
      if (!place().dataset.wired) wire();
      if (!loaded || Date.now() - loaded > REFRESH_MS) {
        loaded = Date.now();
        load();
      }
      const [tab, id, at] = location.hash.slice(1).split("/").map(decodeURIComponent);
      if (tab === "recordings" && !id && wanted !== null) {
        [wanted, linked] = [null, ""];
        draw();
      }
      if (tab === "recordings" && id && day && !loading && linked !== location.hash) {
        linked = location.hash;
        lead(id, at);
      }
    } else if (place() && current) {
      video().pause();
    }
    setTimeout(look, 300);
  })();
})();
