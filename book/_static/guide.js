// The guide: menus made from the list of choices, which hide what does not fit. Without scripts the
// page shows the list and all advice.
document.addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector(".choices");
  if (!list) return;
  const word = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  // In the order of FACETS in pipeline/book/facets.py.
  const facets = { "your-network": "network", "its-activation": "activation", "it-predicts": "target",
                   "training-samples": "samples", "you-ask-about": "topic" };
  const picks = document.createElement("div");
  picks.className = "picks";
  const menus = [...list.querySelectorAll("li")].map((item) => {
    const [title, values] = item.textContent.trim().split(/:\s(.*)/s);
    const facet = facets[word(title)], menu = document.createElement("select");
    menu.append(new Option("any", ""));
    for (const value of values.split(" · ")) menu.append(new Option(value.trim(), `${facet}--${word(value)}`));
    menu.addEventListener("input", show);
    const label = document.createElement("label");
    label.append(title, menu);
    picks.append(label);
    return { facet, menu };
  });
  const total = picks.appendChild(document.createElement("output"));
  const advice = [...document.querySelectorAll(".advice")];
  for (const lead of advice) lead.append(document.createElement("output"));

  function show() {
    const wanted = (topic) => menus.filter(({ facet, menu }) => menu.value && (facet === "topic") === topic)
      .map(({ menu }) => menu.value);
    // What says nothing of a choice is not hidden by it.
    const fits = (element, classes) => classes.every((name) => element.classList.contains(name)
      || ![...element.classList].some((other) => other.startsWith(name.split("--")[0] + "--")));
    let shown = 0;
    for (const lead of advice) {
      const section = lead.closest("section"), rows = [...section.querySelectorAll(".compared")];
      for (const row of rows) row.hidden = !fits(row, wanted(false));
      const ways = rows.filter((row) => !row.hidden).map((row) => row.className.match(/way--(\w+)/)?.[1])
        .filter((way) => way !== "none");
      const count = (name) => ways.filter((way) => way === name).length;
      lead.lastChild.textContent = !wanted(false).length ? "" : !ways.length
        ? " Of what fits your choice, nothing can show an effect."
        : ` Of what fits your choice: better in ${count("better")} of ${ways.length}, worse in ${count("worse")}.`;
      section.hidden = !(fits(lead, wanted(true)) && rows.some((row) => !row.hidden));
      shown += !section.hidden;
    }
    // A question without any advice left is hidden with its heading.
    for (const question of new Set(advice.map((lead) => lead.closest("section").parentElement)))
      question.hidden = ![...question.querySelectorAll("section")].some((section) => !section.hidden);
    total.textContent = `${shown} of ${advice.length} pieces of advice`;
  }
  list.replaceWith(picks);
  show();
});
