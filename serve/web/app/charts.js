// Draws the charts of every .sl-history, with one time range for all of them, as uPlot shows them.
(() => {
  const RANGES = { "15m": "15 min", "1h": "1 h", "24h": "24 h", "7d": "7 days" };
  const COLORS = ["#0f766e", "#b45309", "#1d4ed8", "#be123c", "#7c3aed", "#4d7c0f", "#0e7490", "#a21caf"];
  const COLORS_DARK = ["#2dd4bf", "#fbbf24", "#60a5fa", "#fb7185", "#c4b5fd", "#a3e635", "#67e8f9", "#f0abfc"];
  const DASHES = [[], [6, 4], [2, 3]];
  const MOST = 12; // curves of a chart; more could not be told apart
  const REFRESH_MS = 30000, KEY = "streetloop-range";
  const places = new WeakMap();
  const isDark = () => document.body.classList.contains("dark");
  const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  let range = read();

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      if (found && (RANGES[found.since] || found.until)) return found;
    } catch { /* a browser without storage, or what another version wrote */ }
    return { since: document.querySelector(".sl-history[data-range]")?.dataset.range || "1h" };
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

  function choose(wanted) {
    range = wanted;
    try { localStorage.setItem(KEY, JSON.stringify(range)); } catch { /* it holds for this page alone */ }
    for (const place of document.querySelectorAll(".sl-history")) {
      const one = places.get(place);
      if (one) { mark(one); one.loaded = 0; }
    }
  }

  function mark(one) {
    for (const [since, button] of Object.entries(one.buttons)) {
      button.setAttribute("aria-pressed", !range.until && since === range.since);
    }
    if (range.until) [one.from.value, one.to.value] = [range.since, range.until];
  }

  function build(place) {
    const one = { place, buttons: {}, plots: [], loaded: 0, names: place.dataset.charts.split(" ") };
    const local = (name) => make("input", { type: "datetime-local", "aria-label": name });
    [one.from, one.to] = [local("from"), local("to")];
    for (const [since, text] of Object.entries(RANGES)) {
      one.buttons[since] = make("button", { type: "button", onclick: () => choose({ since }) }, text);
    }
    one.said = make("span", { className: "sl-note", role: "status" });
    const show = make("button", { type: "button", onclick: () => {
      if (!one.from.value || !one.to.value) one.said.textContent = "Give both times.";
      else if (one.from.value >= one.to.value) one.said.textContent = "The second time must be the later one.";
      else choose({ since: one.from.value, until: one.to.value });
    } }, "Show");
    const span = make("details", { className: "sl-span" }, make("summary", {}, "from ... to"), make("div", {}, one.from, one.to, show));
    const csv = make("button", { type: "button", onclick: () => download(one) }, "CSV");
    const group = make("span", { className: "sl-ranges", role: "group", "aria-label": "time range" }, ...Object.values(one.buttons));
    one.figures = make("div", { className: "sl-plots" });
    place.replaceChildren(make("div", { className: "sl-range" }, group, span, csv, one.said), one.figures);
    places.set(place, one);
    mark(one);
    new ResizeObserver(() => { for (const { plot, holder } of one.plots) fit(plot, holder); }).observe(place);
    return one;
  }

  function fit(plot, holder) {
    if (holder.clientWidth && plot.width !== holder.clientWidth) plot.setSize({ width: holder.clientWidth, height: plot.height });
  }

  async function load(one) {
    one.loaded = Date.now();
    const moment = (text) => new Date(text).toISOString();
    const query = new URLSearchParams(one.names.map((name) => ["chart", name]));
    if (one.place.dataset.camera) query.set("camera", one.place.dataset.camera);
    query.set("from", range.until ? moment(range.since) : range.since);
    if (range.until) query.set("to", moment(range.until));
    const asked = query.toString();
    one.asked = asked;
    one.place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`/charts?${query}`);
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.detail || answer.statusText);
      if (one.asked !== asked) return;
      one.charts = found;
      one.said.textContent = "";
      draw(one);
    } catch (error) {
      one.said.textContent = `No charts now: ${error.message}`;
      one.loaded = Date.now() - REFRESH_MS + 5000;
    } finally {
      one.place.removeAttribute("aria-busy");
      one.place.dataset.ready = asked;
    }
  }

  function draw(one) {
    one.dark = isDark();
    for (const { plot } of one.plots) plot.destroy();
    one.plots = [];
    one.figures.replaceChildren(...one.charts.map((chart) => figure(one, chart)));
    for (const made of one.plots) made.begin();
  }

  const known = (curve) => curve.values.filter((value) => value !== null);

  function figure(one, chart) {
    const all = chart.curves.filter((curve) => known(curve).length);
    const top = (curve) => Math.max(...known(curve));
    const shown = all.length > MOST ? [...all].sort((a, b) => top(b) - top(a)).slice(0, MOST) : all;
    const holder = make("div", { className: "sl-plot" });
    const png = make("button", { type: "button", "aria-label": `${chart.title} as PNG`, onclick: () => picture(one, chart, holder) }, "PNG");
    const head = make("figcaption", {}, make("strong", {}, chart.title), make("span", { className: "sl-note" }, chart.unit), png);
    const made = make("figure", { className: "sl-figure" }, head);
    made.dataset.chart = chart.name;
    if (!shown.length) {
      png.remove();
      made.append(make("p", { className: "sl-note sl-nothing" }, "Nothing was measured in this time."));
      return made;
    }
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", `${chart.title}: ${shown.map((curve) => `${curve.name} ${said(Math.min(...known(curve)))} to ${said(top(curve))}`).join("; ")}`);
    made.append(holder);
    if (all.length > shown.length) made.append(make("p", { className: "sl-note" }, `${shown.length} of ${all.length}: those with the highest values.`));
    if (chart.bands.length) {
      const chips = chart.bands.slice(-6).map((band) => make("span", { className: `sl-chip ${band.is_bad ? "sl-bad" : "sl-busy"}`,
        title: `${new Date(band.start).toLocaleString()} to ${new Date(band.end).toLocaleString()}` }, band.text));
      made.append(make("p", { className: "sl-chips sl-bands" }, ...chips));
    }
    const entry = { holder, begin: () => { entry.plot = new uPlot(...options(chart, shown, holder)); } };
    one.plots.push(entry);
    return made;
  }

  const said = (value) => value === null || value === undefined ? "-" : Math.abs(value) >= 100 ? value.toFixed(0) : String(Math.round(value * 1000) / 1000);

  function options(chart, shown, holder) {
    const [text, grid] = [css("--body-text-color"), css("--border-color-primary")];
    const palette = isDark() ? COLORS_DARK : COLORS;
    const bars = chart.form === "bars";
    const paths = bars ? uPlot.paths.bars({ size: [0.8, 40], align: 1 }) : chart.form === "steps" ? uPlot.paths.stepped({ align: 1 }) : undefined;
    // Bars are stacked: each curve is drawn from the sum of those before it, the highest first.
    const sums = shown.map((curve, k) => curve.values.map((value, i) => value === null ? null
      : bars ? shown.slice(0, k + 1).reduce((sum, other) => sum + (other.values[i] || 0), 0) : value));
    const order = bars ? shown.map((_, k) => shown.length - 1 - k) : shown.map((_, k) => k);
    const series = order.map((k) => ({
      label: shown[k].name, stroke: palette[k % palette.length], width: bars ? 0 : 1.75, spanGaps: false, paths,
      fill: bars ? palette[k % palette.length] : undefined, dash: bars ? undefined : DASHES[Math.floor(k / palette.length) % 3],
      points: { show: !bars && chart.times.length < 40, size: 4 }, value: (_, __, ___, i) => said(i === null ? null : shown[k].values[i]),
    }));
    const end = Date.parse(chart.end) / 1000, start = Date.parse(chart.start) / 1000;
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
    return [{
      width: holder.clientWidth, height: 190, ms: 1e-3, padding: [10, 18, 0, 0],
      scales: { x: { min: start, max: end }, y: { range: (_, low, high) => [Math.min(0, low || 0), Math.max(high || 0, chart.threshold || 0) * 1.1 || 1] } },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      legend: { live: true },
      axes: [{ ...axis, size: 30, space: 64, values: clock(end - start) }, { ...axis, size: 46 }],
      series: [{ label: "time", value: (_, second) => second === null ? "-" : new Date(1000 * second).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) }, ...series],
      hooks: { drawAxes: [(plot) => behind(plot, chart)] },
    }, [chart.times, ...order.map((k) => sums[k])], holder];
  }

  // Times of the user's zone; dates where a day is shown, or more.
  function clock(length) {
    return (_, seconds) => seconds.map((second) => {
      const at = new Date(1000 * second);
      const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      if (length <= 90000) return time;
      return at.toLocaleDateString([], { day: "numeric", month: "short" }) + (length < 300000 ? ` ${time}` : "");
    });
  }

  function behind(plot, chart) {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const band of chart.bands) {
      const [a, b] = [band.start, band.end].map((at) => plot.valToPos(Date.parse(at) / 1000, "x", true));
      ctx.fillStyle = band.is_bad ? "#dc262633" : "#2563eb2e";
      ctx.fillRect(a, bbox.top, Math.max(2, b - a), bbox.height);
    }
    if (chart.threshold !== null) {
      const y = plot.valToPos(chart.threshold, "y", true);
      ctx.strokeStyle = isDark() ? "#fca5a5" : "#b91c1c";
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  function save(blob, name) {
    const url = URL.createObjectURL(blob);
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  const fileName = (one, name) => ["streetloop", one.place.dataset.camera, name].filter(Boolean).join("_");

  // Long form: a row a value, and none where nothing was measured.
  function download(one) {
    const cell = (text) => `"${String(text).replaceAll('"', '""').replace(/^[=+\-@]/, "'$&")}"`;
    const rows = ["chart,time,curve,value"];
    for (const chart of one.charts || []) {
      for (const curve of chart.curves) {
        curve.values.forEach((value, k) => {
          if (value !== null) rows.push([chart.name, new Date(1000 * chart.times[k]).toISOString(), cell(curve.name), value].join(","));
        });
      }
    }
    save(new Blob([`${rows.join("\r\n")}\r\n`], { type: "text/csv" }), `${fileName(one, one.names.join("-"))}.csv`);
  }

  function picture(one, chart, holder) {
    const drawn = holder.querySelector("canvas");
    const head = 34 * devicePixelRatio;
    const whole = make("canvas", { width: drawn.width, height: drawn.height + 2 * head });
    const pen = whole.getContext("2d");
    pen.fillStyle = css("--body-background-fill") || "#fff";
    pen.fillRect(0, 0, whole.width, whole.height);
    pen.fillStyle = css("--body-text-color");
    pen.font = `600 ${14 * devicePixelRatio}px system-ui, sans-serif`;
    const camera = one.place.dataset.camera ? `${one.place.dataset.camera}: ` : "";
    pen.fillText(`${camera}${chart.title} (${chart.unit})`, 8 * devicePixelRatio, 22 * devicePixelRatio);
    pen.drawImage(drawn, 0, head);
    pen.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    let x = 8 * devicePixelRatio;
    for (const label of holder.querySelectorAll(".u-series:not(:first-child) .u-label")) {
      pen.fillStyle = label.previousElementSibling?.style.borderColor || css("--body-text-color");
      pen.fillText(label.textContent, x, drawn.height + head + 20 * devicePixelRatio);
      x += pen.measureText(label.textContent).width + 16 * devicePixelRatio;
    }
    whole.toBlob((blob) => save(blob, `${fileName(one, chart.name)}.png`));
  }

  (function look() {
    for (const place of document.querySelectorAll(".sl-history")) {
      if (place.offsetParent === null || document.hidden) continue;
      const one = places.get(place) || build(place);
      if (Date.now() - one.loaded > REFRESH_MS) load(one);
      else if (one.charts && one.dark !== isDark()) draw(one);
    }
    setTimeout(look, 300);
  })();
})();
