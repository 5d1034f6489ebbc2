"use strict";
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const compare = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;
  for (const header of table.tHead.rows[0].cells) {
    const button = header.querySelector("button");
    if (!button) continue;
    button.addEventListener("click", () => {
      const now = header.getAttribute("aria-sort");
      const first = header.dataset.first || "ascending";
      const order = now === "none" || !now ? first : now === "ascending" ? "descending" : "ascending";
      for (const other of table.tHead.rows[0].cells) {
        if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      }
      header.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const value = (row) => row.cells[header.cellIndex].dataset.value ?? "";
      const number = header.dataset.kind === "number";
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * (number ? x - y : compare(x, y));
      });
      body.append(...rows);
    });
  }
}
for (const input of document.querySelectorAll("input[data-filter]")) {
  const output = document.querySelector("output[data-filter-count]");
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, total = 0;
    for (const row of document.querySelectorAll("table[data-sortable] tbody tr")) {
      const text = row.cells[0].textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      total += 1;
      shown += !row.hidden;
    }
    const rows = total === 1 ? "row" : "rows";
    if (output) output.textContent = words.length ? `${shown} of ${total} ${rows}` : `${total} ${rows}`;
  };
  input.addEventListener("input", apply);
  apply();
}
