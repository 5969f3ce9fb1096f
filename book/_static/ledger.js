// The lists of findings and of claims: search, filters and sorting; what is picked stays in the address. Without scripts
// they are plain tables.
document.addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector(".ledger"), table = list?.querySelector("table");
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const noun = list.classList.contains("list-of-findings") ? "findings" : "claims";
  // On a narrow page a row is a card, and each cell with a text says its heading; the first says itself.
  for (const row of rows) heads.slice(1).forEach((head, at) => {
    if (row.cells[at + 1].textContent.trim()) row.cells[at + 1].dataset.label = head.textContent.trim();
  });
  const text = (row, column) => row.cells[column].textContent.trim();
  const whole = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const given = new URLSearchParams(location.search);

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
  const search = add("search", Object.assign(document.createElement("input"), { type: "search", value: given.get("search") ?? "" }));
  const one = (cell) => cell && cell !== "–" ? [cell] : [];
  const values = {
    network: one, data: one, "in a word": (cell) => cell.split("; "), topic: one,
    "it reads": one, thread: (cell) => cell.split(" "), primary: one,
  };
  const menus = heads.flatMap((head, at) => {
    const name = head.textContent.trim(), split = values[name];
    if (!split) return [];
    const menu = add(name, document.createElement("select"));
    menu.append(new Option("all", ""));
    for (const value of [...new Set(rows.flatMap((row) => split(text(row, at))))].sort()) menu.append(new Option(value, value));
    menu.value = given.get(name) ?? "";
    if (menu.selectedIndex < 0) menu.value = "";
    const has = (row, value) => !value || split(text(row, at)).includes(value);
    return [{ name, menu, has }];
  });
  const count = picks.appendChild(document.createElement("output"));
  const clear = picks.appendChild(Object.assign(document.createElement("button"), { type: "button", textContent: "all again" }));
  clear.addEventListener("click", () => {
    search.value = "";
    for (const { menu } of menus) menu.value = "";
    show();
  });

  function show() {
    const words = search.value.toLowerCase().split(/\s+/);
    const found = rows.filter((row) => words.every((word) => whole.get(row).includes(word)));
    const fits = (row, but) => menus.every((one) => one === but || one.has(row, one.menu.value));
    for (const row of rows) row.hidden = true;
    const shown = found.filter((row) => fits(row));
    for (const row of shown) row.hidden = false;
    // What would leave nothing cannot be picked.
    for (const one of menus) {
      const rest = found.filter((row) => fits(row, one));
      for (const option of one.menu.options) option.disabled = !rest.some((row) => one.has(row, option.value));
    }
    count.textContent = shown.length ? `${shown.length} of ${rows.length} ${noun}`
      : `None of ${rows.length} ${noun} fits all of this; take back a word of the search, or a choice.`;
    const picked = new URLSearchParams([["search", search.value], ...menus.map(({ name, menu }) => [name, menu.value])]
      .filter(([, value]) => value));
    history.replaceState(null, "", (String(picked) ? `?${picked}` : location.pathname) + location.hash);
  }
  list.before(picks);
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
});
