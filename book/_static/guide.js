// The guide: menus made from the list of choices. They hide questions that do not fit, and average over the
// data sets that do. Without scripts the page shows the averages over all sets.
const guide = {
  word: (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, ""),

  // A quantile of the t distribution, from the stored ones; between two of them its
  // logarithm is nearly linear in 1/freedom.
  quantile(stored, freedom) {
    const last = stored.length;
    if (freedom >= last) return stored[last - 1];
    const below = Math.max(1, Math.floor(freedom));
    const share = (1 / freedom - 1 / below) / (1 / (below + 1) - 1 / below);
    return stored[below - 1] * (stored[below] / stored[below - 1]) ** share;
  },

  mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  variance: (values) => {
    const middle = guide.mean(values);
    return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  },

  // The average of a finding over the sets that fit: the sets of a unit first, then units, then strata, as the
  // chapter on the method has it. A stratum of which one unit is left is not told apart from the other.
  average(finding, fits, sets, quantiles) {
    const units = new Map();
    for (const [data, y] of Object.entries(finding.effects)) {
      if (!fits(data)) continue;
      const { unit, stratum } = sets[data];
      if (!units.has(unit)) units.set(unit, { stratum, values: [] });
      units.get(unit).values.push(y);
    }
    const found = [...units.values()].map(({ stratum, values }) => ({ stratum, y: guide.mean(values) }));
    const all = found.map(({ y }) => y), count = all.length;
    if (!count) return { count };
    const result = { count, mean: guide.mean(all) };
    if (count < 2 || !finding.family) return result;
    let strata = [...new Set(found.map(({ stratum }) => stratum))]
      .map((name) => found.filter(({ stratum }) => stratum === name).map(({ y }) => y));
    if (strata.some((values) => values.length < 2)) strata = [all];
    const parts = strata.map((values) => guide.variance(values) / values.length / strata.length ** 2);
    const total = parts.reduce((sum, part) => sum + part, 0);
    const freedom = total
      ? total ** 2 / parts.reduce((sum, part, i) => sum + part ** 2 / (strata[i].length - 1), 0) : count - 1;
    const half = guide.quantile(quantiles.interval, freedom) * Math.sqrt(total);
    const reach = guide.quantile(quantiles.range, count - 1) * Math.sqrt(guide.variance(all) * (1 + 1 / count));
    const middle = guide.mean(strata.map(guide.mean));
    return { count, mean: middle, low: middle - half, high: middle + half,
      rangeLow: result.mean - reach, rangeHigh: result.mean + reach };
  },

  // An effect as the change of the score, with its sign.
  change: ({ ratio, turn, factor }, effect) => ratio ? 100 * Math.expm1(turn * effect) : turn * factor * effect,
  signed(value) {
    const size = Math.abs(value), text = size >= 9.95 ? size.toFixed(0) : size.toFixed(1).replace(/\.0$/, "");
    return text === "0" ? "0" : (value < 0 ? "−" : "+") + text;
  },
  span(finding, low, high) {
    const [least, most] = [low, high].map((end) => guide.change(finding, end)).sort((a, b) => a - b);
    return `${guide.signed(least)} to ${guide.signed(most)}${finding.unit}`;
  },

  // What the sets that fit say, in words.
  sentence(finding, { count, mean, low, high, rangeLow, rangeHigh }, few) {
    if (!Object.keys(finding.effects).length) return "";
    if (!count) return "Like yours: none of its data sets.";
    const change = `${guide.signed(guide.change(finding, mean))}${finding.unit} ${finding.name}`;
    const sets = `Like yours: ${count} ${count === 1 ? "set" : "sets"}, ${change}`;
    const words = low === undefined ? `${sets}.` : `${sets} on average (${guide.span(finding, low, high)}); `
      + `on another such set ${guide.span(finding, rangeLow, rangeHigh)}.`;
    return count < few ? `${words} Fewer than ${few} sets: too few to lean on.` : words;
  },
};

if (typeof module !== "undefined") module.exports = guide;
if (typeof document !== "undefined") document.addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector(".choices"), stored = document.getElementById("guide-numbers");
  if (!list || !stored) return;
  const { few, quantiles, sets, findings } = JSON.parse(stored.textContent);
  // In the order of FACETS in pipeline/book/facets.py.
  const facets = { "you-ask-about": "topic", "your-network": "network", "it-predicts": "target",
    "channels-or-columns": "channels", "steps-of-a-sample": "length", "training-samples": "samples" };
  const questions = ["topic", "network"];
  const picks = document.createElement("div");
  picks.className = "picks";
  const menus = [...list.querySelectorAll("li")].map((item) => {
    const [title, values] = item.textContent.trim().split(/:\s(.*)/s);
    const facet = facets[guide.word(title)], menu = document.createElement("select");
    menu.append(new Option("any", ""));
    for (const value of values.split(" · ")) menu.append(new Option(value.trim(), guide.word(value)));
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
    const picked = menus.filter(({ menu }) => menu.value).map(({ facet, menu }) => [facet, menu.value]);
    const asked = picked.filter(([facet]) => questions.includes(facet));
    const like = picked.filter(([facet]) => !questions.includes(facet));
    const fits = (data) => like.every(([facet, value]) => sets[data].like[facet] === value);
    const sections = new Map(advice.map((lead) => [lead.closest("section"), false]));
    for (const lead of advice) {
      const finding = findings[lead.className.match(/(?:^|\s)finding--([a-z0-9-]+)/)[1]];
      const found = guide.average(finding, fits, sets, quantiles);
      const fit = asked.every(([facet, value]) => lead.classList.contains(`${facet}--${value}`))
        && (!like.length || found.count > 0);
      lead.lastChild.textContent = like.length && fit ? guide.sentence(finding, found, few) : "";
      lead.hidden = !fit;
      const section = lead.closest("section");
      sections.set(section, sections.get(section) || fit);
    }
    for (const [section, shown] of sections) section.hidden = !shown;
    // A question without any advice left is hidden with its heading.
    for (const question of new Set([...sections.keys()].map((section) => section.parentElement)))
      question.hidden = ![...question.querySelectorAll("section")].some((section) => !section.hidden);
    const shown = [...sections.values()].filter(Boolean).length;
    total.textContent = `${shown} of ${sections.size} questions`;
  }
  list.replaceWith(picks);
  show();
});
