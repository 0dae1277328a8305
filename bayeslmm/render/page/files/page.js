"use strict";
const root = document.documentElement;
const PAPER = {"--ink": "#000", "--soft": "#444", "--rule": "#bbb", "--paper": "#fff"}, COLUMN = 340;
let printing = false;
const css = name => printing ? PAPER[name] : getComputedStyle(root).getPropertyValue(name).trim();

// Figures are drawn in the page's colours, and again when these change.
const figures = JSON.parse(document.getElementById("figures").textContent);
const themed = layout => {
  const out = structuredClone(layout);
  out.paper_bgcolor = out.plot_bgcolor = "rgba(0,0,0,0)";
  out.font = {...out.font, color: css("--ink")};
  out.hoverlabel = {...out.hoverlabel, bgcolor: css("--paper"), font: {...out.hoverlabel?.font, color: css("--ink")}};
  for (const axis of Object.keys(out).filter(key => /^[xy]axis/.test(key)))
    Object.assign(out[axis], {gridcolor: css("--rule"), zerolinecolor: css("--soft")});
  Object.assign(out, printing ? {autosize: false, width: COLUMN} : {autosize: true, width: undefined});
  return out;
};
const inked = data => JSON.parse(JSON.stringify(data).replaceAll(/#1f2328/gi, css("--ink")));
const draw = () => Object.entries(figures).forEach(([id, figure]) =>
  Plotly.react(id, inked(figure.data), themed(figure.layout), {displayModeBar: false, responsive: true}));
if (window.Plotly) draw();
document.querySelectorAll("details").forEach(each => each.addEventListener("toggle", () =>
  each.querySelectorAll(".js-plotly-plot").forEach(plot => Plotly.Plots.resize(plot))));

const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.getElementById("theme").addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  if (window.Plotly) draw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (window.Plotly) draw(); });
for (const [when, now] of [["beforeprint", true], ["afterprint", false]])
  addEventListener(when, () => { printing = now; if (window.Plotly) draw(); });

// Tables: sort by a column, filter rows, copy or save those that are shown.
const words = cell => [...cell.querySelectorAll(".line, .badge")].map(span => span.textContent.trim()).join("; ").replaceAll("−", "-");
const key = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? words(cell) : Number(cell.dataset.value);
};
const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
  : typeof a === typeof b ? a.localeCompare(b, "en", {numeric: true}) : typeof a === "number" ? -1 : 1;
const sort = (table, head) => {
  const up = head.getAttribute("aria-sort") !== "ascending";
  table.querySelectorAll("thead th").forEach(each => each.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => (up ? 1 : -1) * compare(key(a, head.cellIndex), key(b, head.cellIndex)));
  table.tBodies[0].append(...rows);
};
const shown = table => [...table.rows].filter(row => !row.hidden).map((row, i) =>
  [...row.cells].map(cell => i ? words(cell) : cell.textContent.trim()));
const quoted = text => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const copied = async text => {
  try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
};
const save = (name, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = `${name.toLowerCase().replaceAll(/\W+/g, "-")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
document.querySelectorAll("form.tools").forEach(form => {
  const table = document.getElementById(form.dataset.table), output = form.querySelector("output");
  const [text, choice] = [form.querySelector("input"), form.querySelector("select")];
  const filter = () => {
    const wanted = text.value.toLowerCase(), only = choice?.value ?? "";
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) {
      const badges = [...row.querySelectorAll(".badge")].map(badge => badge.textContent);
      row.hidden = !row.textContent.toLowerCase().includes(wanted) || (only !== "" && !badges.includes(only));
    }
    output.textContent = wanted || only ? `${rows.filter(row => !row.hidden).length} of ${rows.length} rows` : "";
  };
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", filter);
  form.querySelector("[data-do=copy]").addEventListener("click", async () => {
    const done = await copied(shown(table).map(row => row.join("\t")).join("\n"));
    output.textContent = done ? "Copied" : "The browser doesn't allow copying; save the CSV";
  });
  form.querySelector("[data-do=csv]").addEventListener("click", () =>
    save(table.dataset.name, shown(table).map(row => row.map(quoted).join(",")).join("\n") + "\n"));
  table.querySelectorAll("thead th").forEach(head =>
    head.querySelector("button").addEventListener("click", () => sort(table, head)));
});
