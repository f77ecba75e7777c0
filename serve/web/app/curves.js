// Draws precision by recall of two versions in every .sl-curves, from the numbers that it carries.
(() => {
  const COLORS = ["#1d4ed8", "#b45309"], COLORS_DARK = ["#60a5fa", "#fbbf24"];
  const HEIGHT = 220;
  const drawn = new WeakMap();
  const isDark = () => document.body.classList.contains("dark");
  const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  const said = (value) => value === null || value === undefined ? "-" : value.toFixed(3);

  function make(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children); // as text: a name cannot inject markup
    return made;
  }

  function draw(place) {
    const found = JSON.parse(place.dataset.curves);
    for (const { plot } of drawn.get(place)?.plots || []) plot.destroy();
    const holders = found.charts.map(() => make("div", "sl-plot"));
    const figures = found.charts.map((chart, k) => figure(found, chart, holders[k]));
    const grid = make("div", "sl-plots", ...figures);
    const more = found.more ? [make("p", "sl-note", `${found.more} more classes, which differ less, are in the CSV.`)] : [];
    place.replaceChildren(grid, ...more);
    const plots = found.charts.map((chart, k) => ({
      holder: holders[k],
      plot: new uPlot(options(found, holders[k]), [found.recalls, ...chart.curves], holders[k]),
    }));
    drawn.set(place, { dark: isDark(), given: place.dataset.curves, plots });
  }

  function figure(found, chart, holder) {
    const areas = chart.areas.map((area, k) => `${found.names[k]} ${said(area)}`).join(", ");
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", `precision by recall of ${chart.title}; areas: ${areas}`);
    return make("figure", "sl-figure", make("figcaption", "", make("strong", "", chart.title), make("span", "sl-note", areas)), holder);
  }

  function options(found, holder) {
    const [text, grid] = [css("--body-text-color"), css("--border-color-primary")];
    const colors = isDark() ? COLORS_DARK : COLORS;
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, font: "11px system-ui, sans-serif", labelFont: "11px system-ui, sans-serif", labelSize: 16 };
    const value = (_, number) => said(number);
    return {
      width: holder.clientWidth, height: HEIGHT, padding: [10, 18, 0, 0],
      scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1.02] } },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      axes: [{ ...axis, size: 26, label: "recall" }, { ...axis, size: 36, label: "precision" }],
      series: [{ label: "recall", value }, ...found.names.map((label, k) => ({
        label, value, stroke: colors[k], width: 1.75, dash: k ? [6, 4] : undefined, spanGaps: false, points: { show: false },
      }))],
    };
  }

  (function look() {
    for (const place of document.querySelectorAll(".sl-curves")) {
      if (place.offsetParent === null || document.hidden) continue;
      const one = drawn.get(place);
      if (!one || one.dark !== isDark() || one.given !== place.dataset.curves) draw(place);
      else for (const { plot, holder } of one.plots) {
        if (holder.clientWidth && plot.width !== holder.clientWidth) plot.setSize({ width: holder.clientWidth, height: HEIGHT });
      }
    }
    setTimeout(look, 300);
  })();
})();
