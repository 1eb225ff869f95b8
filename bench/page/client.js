// Sorts and filters the tables, and shows the comparison of the two files that are chosen. Everything was computed before: without
// scripts the tables and plots are still there.

/** @typedef {{ shape?: string, name: string, before: number, after: number, ratio: number, verdict: string }} Change */
/** @typedef {{ before: number, after: number, changes: Change[], alone: string[], differences: string[], drift: string | Record<string, number> }} Compared */

const data = document.getElementById("data");
/** @type {{ names: string[], comparisons: Compared[], verdicts: Record<string, string> }} */
const { names, comparisons, verdicts } = JSON.parse(data?.textContent ?? "{}");

for (const section of document.querySelectorAll("section[data-file]")) {
  const body = section.querySelector("tbody");
  if (body === null) continue;
  const rows = [...body.rows];
  const headings = [...section.querySelectorAll("thead th")];
  const cellValue = (row, column) => row.cells[column]?.dataset.value ?? "";

  headings.forEach((heading, column) => {
    heading.querySelector("button")?.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const isNumeric = rows.every(
        (row) => cellValue(row, column) === "" || !Number.isNaN(Number(cellValue(row, column))),
      );
      const order = (a, b) => {
        const [one, other] = [cellValue(a, column), cellValue(b, column)];
        // What has no value stands at the end, whichever way.
        if (one === "" || other === "") return Number(one === "") - Number(other === "");
        const difference = isNumeric ? Number(one) - Number(other) : one.localeCompare(other);
        return down ? -difference : difference;
      };
      body.append(...[...rows].sort(order));
    });
  });

  /** What the plots have of a row. */
  const marksOf = (row) => section.querySelectorAll(`svg [data-row="${row.dataset.row}"]`);
  const filter = section.querySelector("input");
  const count = section.querySelector(".count");
  const show = () => {
    const words = (filter?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent?.toLowerCase() ?? "";
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown++;
      for (const mark of marksOf(row)) mark.classList.toggle("out", row.hidden);
    }
    if (count !== null)
      count.textContent = words.length === 0 ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
  };
  filter?.addEventListener("input", show);
  for (const row of rows) {
    const point = (isPointed) => {
      for (const mark of marksOf(row)) mark.classList.toggle("pointed", isPointed);
    };
    row.addEventListener("pointerenter", () => point(true));
    row.addEventListener("pointerleave", () => point(false));
  }
  show();
}

const [before, after] = ["before", "after"].map((id) => document.getElementById(id));
const place = document.getElementById("comparison");

function option(number) {
  const made = document.createElement("option");
  made.value = String(number);
  made.textContent = names[number];
  return made;
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
}

function showComparison() {
  const found = comparisons.find(
    (each) => String(each.before) === before.value && String(each.after) === after.value,
  );
  place.replaceChildren();
  if (found === undefined) {
    place.append(element("p", "These two have no row in common."));
    return;
  }
  for (const line of found.differences) place.append(element("p", line, "quiet"));
  place.append(
    element(
      "p",
      typeof found.drift === "string"
        ? `${found.drift}: its drift is not taken out.`
        : "The drift of the machine, by its fixed probe, is taken out of ratio and verdict.",
      "quiet",
    ),
  );
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const title of ["what", "who", "before ms", "after ms", "ratio", "verdict"])
    head.append(element("th", title));
  const body = table.createTBody();
  for (const { shape = "", name, before: was, after: is, ratio, verdict } of found.changes) {
    const row = body.insertRow();
    row.className = verdict;
    const cells = [shape, name, was, is, ratio.toFixed(3), verdicts[verdict]];
    cells.forEach((cell, i) => {
      row.append(element("td", String(cell), i < 2 || i === 5 ? "word" : undefined));
    });
  }
  const scroll = element("div", "", "scroll");
  scroll.append(table);
  place.append(scroll);
  for (const line of found.alone) place.append(element("p", line, "quiet"));
}

if (before !== null && after !== null && place !== null) {
  const taking = new Set(comparisons.flatMap((each) => [each.before, each.after]));
  for (const select of [before, after]) for (const number of taking) select.append(option(number));
  before.value = String(comparisons[0].before);
  after.value = String(comparisons[0].after);
  for (const select of [before, after]) select.addEventListener("change", showComparison);
  showComparison();
}
