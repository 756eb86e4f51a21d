"use strict";
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };

  // The first number of a cell, NaN where it is text; "<0.001" comes before 0.001, "1,234" is one number.
  const number = (text) => {
    const plain = text.trim().replace(/−/g, "-").replace(/,(?=\d{3})/g, "");
    const found = plain.match(/^[<>≤≥×±+~p†]*\s*(-?\d*\.?\d+(?:e[-+]?\d+)?)/i);
    if (!found || /^\d{4}-\d\d/.test(plain)) return NaN;
    return parseFloat(found[1]) - (plain.startsWith("<") ? 1e-9 : 0);
  };

  // What a cell says, without the symbol before a name.
  const textOf = (cell) => [...cell.childNodes].map((node) => node.ariaHidden === "true" ? "" : node.textContent).join("").trim();

  const isNumeric = (rows, column) => {
    const texts = rows.map((row) => textOf(row.cells[column])).filter((text) => text && text !== "–");
    return texts.length > 0 && texts.every((text) => !Number.isNaN(number(text)));
  };

  const compare = (a, b, numeric) => {
    if (!numeric) return a.localeCompare(b, undefined, { numeric: true });
    const [x, y] = [number(a), number(b)];
    return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : 1) : Number.isNaN(y) ? -1 : x - y;
  };

  const sortable = (table, rows) => {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) => {
      const numeric = column > 0 && isNumeric(rows, column);
      if (numeric) [head, ...rows.map((row) => row.cells[column])].forEach((cell) => cell.classList.add("number"));
      if (rows.length < 2 || !textOf(head)) return;
      const button = make("button", { type: "button" }, ...head.childNodes);
      const orders = numeric ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.onclick = () => {
        const order = orders[(orders.indexOf(head.getAttribute("aria-sort")) + 1) % 3];
        heads.forEach((each) => each.hasAttribute("aria-sort") && each.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", order);
        const sign = order === "descending" ? -1 : 1;
        const missing = (row) => numeric && Number.isNaN(number(textOf(row.cells[column])));
        const sorted = order === "none" ? rows : [...rows].sort((a, b) =>
          missing(a) - missing(b) || sign * compare(textOf(a.cells[column]), textOf(b.cells[column]), numeric));
        body.append(...sorted);
      };
    });
  };

  const copied = async (text) => {
    if (navigator.clipboard) {
      try { await navigator.clipboard.writeText(text); return true; } catch { /* not allowed here; the older way follows */ }
    }
    const area = make("textarea", { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  const tools = (block, table, rows) => {
    const name = block.querySelector(".scroll").getAttribute("aria-label");
    const status = make("span", { role: "status" });
    const bar = make("div", { className: "tools" });
    if (rows.length > 5) {
      const filter = make("input", { type: "search", placeholder: "Filter rows", ariaLabel: `Filter rows: ${name}` });
      filter.oninput = () => {
        const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
        rows.forEach((row) => { row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word)); });
        const shown = rows.filter((row) => !row.hidden).length;
        status.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
      };
      bar.append(filter);
    }
    const copy = make("button", { type: "button", className: "tool", ariaLabel: `Copy table: ${name}` }, "Copy");
    copy.onclick = async () => {
      const lines = [table.tHead.rows[0], ...table.tBodies[0].rows].filter((row) => !row.hidden);
      const done = await copied(lines.map((row) => [...row.cells].map(textOf).join("\t")).join("\n"));
      status.textContent = done ? `${lines.length - 1} rows copied` : "The browser does not allow copying";
    };
    bar.append(copy, status);
    block.prepend(bar);
  };

  const enhance = (block) => {
    const table = block.querySelector("table"), rows = [...table.tBodies[0].rows];
    sortable(table, rows);
    if (rows.length > 1) tools(block, table, rows);
    block.classList.toggle("tall", rows.length > 30);
  };

  document.querySelectorAll(".table").forEach(enhance);

  // Charts take their ink from the page, so that light, dark and print need no second drawing.
  const config = (width) => ({
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily, // by it labels are measured
    view: { stroke: null },
    axis: {
      labelColor: "currentColor", titleColor: "currentColor", domainColor: "currentColor", tickColor: "currentColor",
      gridColor: "currentColor", gridOpacity: 0.14, domainOpacity: 0.4, tickOpacity: 0.4,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, labelLimit: width < 480 ? 110 : 240,
      labelOverlap: true, tickCount: Math.max(3, Math.floor(width / 90)),
    },
    legend: {
      labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400,
      orient: "top", columns: Math.max(1, Math.floor(width / 240)), labelLimit: Math.min(215, width - 60), symbolSize: 70,
    },
    text: { color: "currentColor" },
    rule: { color: "currentColor" },
    header: { labelColor: "currentColor", titleColor: "currentColor" },
    title: { color: "currentColor" },
  });

  const figures = (spec) => {
    const rows = Object.values(spec.datasets ?? {})[0] ?? [];
    const names = Object.keys(rows[0] ?? {});
    const round = (value) => typeof value === "number" && !Number.isInteger(value) ? String(+value.toPrecision(5)) : String(value ?? "–");
    const head = make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
    const body = make("tbody", {}, ...rows.map((row) => make("tr", {}, ...names.map((name, place) =>
      place ? make("td", {}, round(row[name])) : make("th", { scope: "row" }, round(row[name]))))));
    return make("table", {}, head, body);
  };

  const save = (figure, title) => {
    const svg = figure.querySelector(".chart svg").cloneNode(true);
    svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    svg.setAttribute("style", "color: #000000; font-family: sans-serif; background: #ffffff");
    const address = URL.createObjectURL(new Blob([svg.outerHTML], { type: "image/svg+xml" }));
    make("a", { href: address, download: `${title.replace(/[^\w-]+/g, "_")}.svg` }).click();
    URL.revokeObjectURL(address);
  };

  document.querySelectorAll("script.spec").forEach((script) => {
    const spec = JSON.parse(script.textContent), figure = script.closest("figure"), chart = figure.querySelector(".chart");
    const title = textOf(figure.querySelector("h3")), bar = make("div", { className: "tools" });
    const rows = Object.values(spec.datasets ?? {})[0]?.length ?? 0;
    const button = (text, act) => {
      const made = make("button", { type: "button", className: "tool", ariaLabel: `${text}: ${title}` }, text);
      made.onclick = () => act(made);
      bar.append(made);
    };
    vegaEmbed(chart, spec, {
      actions: false, renderer: "svg", config: config(chart.clientWidth), tooltip: { disableDefaultStyle: true }, logLevel: 1,
    }).then(() => {
      chart.querySelector("svg").setAttribute("aria-hidden", "true"); // the chart has a label, and its figures a table
      chart.style.minHeight = "";
      chart.dataset.drawn = "";
    });
    if (rows && rows <= 1000) {
      button("Figures", (made) => {
        const shown = figure.querySelector(".table");
        made.setAttribute("aria-expanded", String(!shown));
        if (shown) return shown.remove();
        const scroll = make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: `Figures of ${title}` }, figures(spec));
        const block = make("div", { className: "table" }, scroll);
        figure.append(block);
        return enhance(block);
      });
    }
    button("Save as SVG", () => save(figure, title));
    figure.append(bar);
  });

  const beside = document.querySelector(".all"); // the list of all pages lies in the folder that runs write to
  if (beside && (location.protocol === "file:" || location.pathname.includes("/reports/"))) beside.hidden = false;
})();
