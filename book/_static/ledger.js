// The ledger: search, filters and sorting for the table of claims. Without scripts it is a plain table.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector(".ledger table");
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const text = (row, column) => row.cells[column].textContent.trim();
  const column = (name) => heads.findIndex((head) => head.textContent.trim() === name);

  // A field to search in, and a menu for each column that has few different values.
  const picks = document.createElement("div");
  picks.className = "picks";
  const add = (title, element) => {
    const label = document.createElement("label");
    label.append(title, element);
    picks.append(label);
    element.addEventListener("input", show);
    return element;
  };
  const search = add("search", Object.assign(document.createElement("input"), { type: "search" }));
  // What of a cell counts as its values: of two strata, both verdicts.
  const values = {
    verdict: (cell) => [...cell.split("; ").map((one) => one.replace(/ fragile| \(.*\)/g, "").trim()),
                        ...(cell.includes("fragile") ? ["fragile"] : [])],
    on: (cell) => cell === "–" ? [] : cell.split(", "),
    topic: (cell) => [cell],
    thread: (cell) => cell.split(" "),
    primary: (cell) => cell ? [cell] : [],
  };
  const menus = Object.entries(values).map(([name, split]) => {
    const at = column(name), of = (row) => split(text(row, at));
    const menu = add(name, document.createElement("select"));
    menu.append(new Option("all", ""));
    for (const value of [...new Set(rows.flatMap(of))].sort()) menu.append(new Option(value, value));
    return (row) => !menu.value || of(row).includes(menu.value);
  });
  const count = picks.appendChild(document.createElement("output"));
  function show() {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const whole = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => whole.includes(word)) && menus.every((fits) => fits(row)));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} claims`;
  }
  table.closest(".ledger").before(picks);
  show();

  // A click on a heading sorts by it, a second one the other way round.
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const compare = new Intl.Collator("en", { numeric: true }).compare;
      rows.sort((a, b) => (down ? -1 : 1) * compare(text(a, at), text(b, at)));
      body.append(...rows);
    });
  });

  // A click anywhere in a row opens its claim.
  body.addEventListener("click", (event) => {
    if (!event.target.closest("a") && !String(getSelection()))
      event.target.closest("tr").querySelector("a[href*='claims/']").click();
  });
});
