// Fills the page of one camera: its state, events, drift, uncertain frames and settings.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const root = document.getElementById("sl-camera");
  const id = root.dataset.camera, path = `/cameras/${encodeURIComponent(id)}`;
  const part = (name) => document.getElementById(name);
  const SLOTS = { champion: "the version that serves the cameras", challenger: "the version that a rollout tries against the champion" };
  const BOX = ["#38bdf8", "#f59e0b", "#34d399", "#fb7185", "#c4b5fd", "#facc15"];

  function make(tag, given = {}, ...children) {
    const made = Object.assign(document.createElement(tag), given);
    made.append(...children); // as text: a name cannot inject markup
    return made;
  }

  function draw(tag, given) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    return made;
  }

  async function ask(address) {
    const answer = await fetch(address);
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(body.detail || `the server answers ${answer.status}`), { status: answer.status });
    return body;
  }

  function ago(text) {
    const at = new Date(text), seconds = Math.max(0, (Date.now() - at) / 1000);
    const [size, word] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([one]) => seconds >= one) || [1, "s"];
    return make("time", { dateTime: text, title: at.toLocaleString() }, `${Math.floor(seconds / size)} ${word} ago`);
  }

  const word = (text, hint, className = "sl-term") => {
    const made = make("span", { className }, text);
    if (hint) Object.assign(made, { tabIndex: 0 }).dataset.hint = hint;
    return made;
  };
  const chip = (text, kind = "plain", hint = "") => word(text, hint, `sl-chip sl-${kind}`);
  const note = (text) => make("p", { className: "sl-note" }, text);
  const facts = (pairs) => pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);

  // Now

  function now(view) {
    const kind = { live: "good", lost: "bad", failed: "bad" }[view.state] || "plain";
    Object.assign(part("sl-state"), { textContent: view.state, className: `sl-chip sl-${kind}` });
    document.querySelector(".sl-header").dataset.problems = (view.error ? 1 : 0) + view.faults.length;
    const asked = view.fps === null ? "all" : String(view.fps);
    const crossed = Object.entries(view.crossings).map(([line, ways]) => `${line}: ${Object.entries(ways).map(([way, count]) => `${way} ${count}`).join(", ")}`);
    part("sl-now").replaceChildren(...facts([
      ["frames a second", `${view.fps_decoded.toFixed(1)} arrive, ${asked} asked for, ${view.fps_detected.toFixed(1)} detected`],
      ["lag", view.frames.detected ? `95 % within ${view.lag_p95_s.toFixed(2)} s` : "-"],
      ["objects since start", Object.entries(view.objects_by_class).map(([name, count]) => `${name} ${count}`).join(", ") || String(view.objects)],
      ["crossings since start", crossed.join("; ") || "no counting line"],
      ["model", view.model ? make("span", {}, view.model, ...(view.slot ? [" (", word(view.slot, SLOTS[view.slot]), ")"] : [])) : "-"],
      ...(view.error ? [["error", view.error]] : []),
    ]));
  }

  function settings(view) {
    const shown = { address: view.uri, city: view.city, site: view.site, "frames a second": view.fps ?? "all", transport: view.transport, record: view.record,
      sound: view.audio ? "kept" : "not kept", classes: view.classes ? Object.keys(view.classes).join(", ") : "as the settings say",
      blur: view.anonymise || "as the settings say", lines: Object.keys(view.lines).join(", ") || "none",
      zones: Object.entries(view.zones).map(([name, zone]) => `${name} (${zone.kind.replace("_", " ")})`).join(", ") || "none", masks: String(view.mask.length) };
    part("sl-settings").replaceChildren(...facts(Object.entries(shown).filter(([, value]) => value !== null).map(([name, value]) => [name, String(value)])));
  }

  let drawn = "";
  function over(view) {
    const shapes = JSON.stringify([view.lines, view.zones, view.mask]);
    if (shapes === drawn) return;
    drawn = shapes;
    const solo = document.querySelector(".sl-solo");
    for (const old of solo.querySelectorAll(".sl-tag")) old.remove();
    const points = (polygon) => polygon.map(([x, y]) => `${100 * x},${100 * y}`).join(" ");
    const tag = (text, [x, y]) => {
      const made = make("bdi", { className: "sl-tag" }, text);
      const [side, room] = x <= .5 ? ["left", 1 - x] : ["right", x];
      Object.assign(made.style, { [side]: `${100 * (1 - room)}%`, maxWidth: `${100 * room}%`, top: `${100 * Math.max(y, .06)}%` });
      solo.append(made);
    };
    const found = [];
    for (const polygon of view.mask) found.push(draw("polygon", { points: points(polygon), class: "sl-mask" }));
    for (const [name, zone] of Object.entries(view.zones)) {
      found.push(draw("polygon", { points: points(zone.polygon) }));
      tag(name, zone.polygon[0]);
    }
    for (const [name, line] of Object.entries(view.lines)) {
      const [[x1, y1], [x2, y2]] = Array.isArray(line) ? line : line.points;
      found.push(draw("line", { x1: 100 * x1, y1: 100 * y1, x2: 100 * x2, y2: 100 * y2 }));
      tag(name, [x1, y1]);
    }
    part("sl-over").replaceChildren(...found);
    hide();
  }

  function hide() {
    const is = part("sl-draw").checked;
    part("sl-over").toggleAttribute("hidden", !is);
    for (const one of document.querySelectorAll(".sl-tag")) one.hidden = !is;
  }

  // The picture keeps its shape: the overlay lies on it exactly.
  function shape() {
    const canvas = document.querySelector("#sl-wall canvas");
    if (canvas?.height > 150 || canvas?.width > 300) document.querySelector(".sl-solo").style.setProperty("--sl-shape", `${canvas.width} / ${canvas.height}`);
  }

  // Events, lag, drift, frames

  async function events() {
    const found = (await ask(`/events?camera=${encodeURIComponent(id)}&since=24h&limit=50`)).items;
    part("sl-events").replaceChildren(...(found.length ? found.map((event) => make("li", {},
      make("a", { href: `/app/events/${event.id}` }, chip(event.kind.replaceAll("_", " "), event.ended_at ? "plain" : "warn")), " ", ago(event.started_at), event.ended_at ? "" : ", goes on",
      event.cause ? `: ${event.cause}` : "", ...(event.evidence.length ? [" ", make("a", { href: `/events/${event.id}/picture.jpg`, target: "_blank" }, "picture")] : []))) : [make("li", { className: "sl-note" }, "Nothing happened.")]));
  }

  async function lag() {
    const found = await ask(`${path}/lag`);
    part("sl-lag").replaceChildren(...found.map((one) => make("li", { className: one.is_bad ? "sl-worry" : "" }, one.text)));
  }

  async function drift() {
    const state = (await ask(`/drift?camera=${encodeURIComponent(id)}`)).items[0];
    if (!state) return part("sl-drift").replaceChildren(note("It was not watched yet."));
    const causes = state.causes.map((cause) => cause.probability === null ? cause.name : `${cause.name} (${Math.round(100 * cause.probability)} %)`);
    const words = state.drifts ? ["It drifts, most likely because of ", causes.join(" or "), ", since ", ago(state.since), "."]
      : state.missing_minutes ? [`${Math.max(0, state.needed_minutes - state.missing_minutes)} of ${state.needed_minutes} ${state.period_s === 60 ? "minutes" : `periods of ${state.period_s} seconds`} of it are known; then it can be compared with its own history.`] : ["It looks as it always did."];
    const sides = await Promise.all(["before", "since"].map(async (side) => {
      const answer = await fetch(`${path}/drift/${side}.jpg`);
      if (answer.status !== 200) return null;
      const at = new Date(answer.headers.get("x-taken-at"));
      const said = state.drifts ? { before: "before", since: "since" }[side] : { before: "earlier", since: "newest" }[side];
      return make("figure", {}, make("img", { src: URL.createObjectURL(await answer.blob()), alt: `how it looked, ${said}` }), make("figcaption", {}, `${said}: ${at.toLocaleString()}`));
    }));
    const why = Object.entries(state.evidence).filter(([, all]) => all.length).map(([name, all]) => note(`${name}, because: ${all.join(", ")}.`));
    part("sl-drift").replaceChildren(make("p", {}, ...words), ...why, make("div", { className: "sl-sides" }, ...sides.filter(Boolean)));
  }

  function boxed(review) {
    const names = [...new Set(review.boxes.map((box) => box.class))];
    const svg = draw("svg", { viewBox: `0 0 ${review.width} ${review.height}`, "aria-hidden": "true" });
    for (const box of review.boxes) {
      const [x1, y1, x2, y2] = box.xyxy;
      svg.append(draw("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, stroke: BOX[names.indexOf(box.class) % BOX.length] }));
    }
    const image = make("img", { src: `/reviews/${review.digest}/image.jpg`, alt: "", width: review.width, height: review.height, loading: "lazy" });
    return make("a", { className: "sl-boxed", href: `/app/#review/${review.digest.slice(0, 12)}`, ariaLabel: `open the frame of ${new Date(review.captured_at).toLocaleString()}` }, image, svg);
  }

  async function frames() {
    const found = (await ask(`/reviews?camera=${encodeURIComponent(id)}&limit=8`)).items.filter((one) => one.state !== "expired");
    part("sl-frames").replaceChildren(...(found.length ? found.map((one) => make("figure", {}, boxed(one),
      make("figcaption", {}, chip(one.reason, "busy", `score ${one.score.toFixed(2)}`), chip(one.state), ago(one.captured_at)))) : [note("No frame of it was chosen for review yet.")]));
  }

  const told = new Map();
  async function guarded(name, place, work) {
    try {
      await work();
      told.delete(name);
    } catch (error) {
      if (!told.has(name) || told.get(name) !== error.message) part(place)?.replaceChildren(make(place === "sl-events" || place === "sl-lag" ? "li" : "p", { className: "sl-note" }, `Not available: ${error.message}`));
      told.set(name, error.message);
    }
  }

  async function state() {
    const view = await ask(path);
    now(view);
    settings(view);
    over(view);
    shape();
  }

  const jobs = [[2, "state", "sl-now", state], [10, "events", "sl-events", events], [10, "lag", "sl-lag", lag], [60, "drift", "sl-drift", drift], [30, "frames", "sl-frames", frames]];
  const due = new Map();

  async function look() {
    if (!document.hidden) {
      const ready = jobs.filter(([, name]) => (due.get(name) || 0) <= Date.now());
      for (const [seconds, name] of ready) due.set(name, Date.now() + 1000 * seconds);
      await Promise.all(ready.map(([, name, place, work]) => guarded(name, place, work)));
    }
    setTimeout(look, 500);
  }

  part("sl-other").addEventListener("change", (event) => { location.href = `/app/cameras/${encodeURIComponent(event.target.value)}`; });
  if (part("sl-now")) {
    part("sl-draw").addEventListener("change", hide);
    look();
  }
})();
