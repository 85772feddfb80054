// The preview's part in the browser: shows what changed without losing where one is, what is wrong, and what is kept back.
(() => {
  "use strict";
  const own = new URL(document.currentScript.src);
  const base = own.pathname.replace(/client\.js$/, "");
  const host = document.createElement("newsgen-preview");
  const root = host.attachShadow({ mode: "closed" });
  const gates = { held: "Held", draft: "Drafts", future: "Future", expired: "Expired" };
  let state = null, run = "", socket = null, wait = 200, dismissed = "";

  const make = (tag, text = "", ...rest) => {
    const element = document.createElement(tag);
    element.textContent = text;
    element.append(...rest);
    return element;
  };
  const remembered = (value) => {
    try {
      return value === undefined ? localStorage.getItem("newsgen-bar") : localStorage.setItem("newsgen-bar", value);
    } catch {
      return null;
    }
  };

  const bar = make("details"), summary = make("summary"), inside = make("div");
  bar.className = "bar";
  inside.className = "in";
  bar.open = remembered() === "open";
  bar.append(summary, inside);
  // Not at "toggle", which comes later: the next page may be asked for before it.
  summary.addEventListener("click", () => remembered(bar.open ? "closed" : "open"));
  const veil = make("div");
  veil.className = "veil";
  veil.hidden = true;
  root.append(bar, veil);
  document.addEventListener("keydown", (event) => event.key === "Escape" && !veil.hidden && dismiss());

  function dismiss() {
    dismissed = JSON.stringify(state.problems);
    veil.hidden = true;
  }

  function show() {
    const connected = socket && socket.readyState === WebSocket.OPEN;
    const count = state ? state.problems.length : 0;
    bar.classList.toggle("off", !connected);
    bar.classList.toggle("bad", count > 0);
    summary.textContent = !connected ? "Preview: no server" : count ? `Preview: ${count} ${count === 1 ? "problem" : "problems"}` : "Preview";
    if (!state) return;
    const rows = Object.entries(gates).map(([gate, name]) => {
      const box = make("input"), label = make("label", "", box, make("span", `${name}: ${state.gates[gate].count}`), make("small", state.gates[gate].reason));
      box.type = "checkbox";
      box.name = gate;
      box.checked = state.show.includes(gate);
      box.addEventListener("change", () => send({ gate, on: box.checked }));
      return label;
    });
    const facts = make("dl");
    for (const [name, value] of Object.entries({ Source: state.source, Template: state.template, "Rebuilt because": state.why })) {
      if (value) facts.append(make("dt", name), make("dd", value));
    }
    const held = root.activeElement && root.activeElement.name;
    inside.replaceChildren(...rows, facts);
    if (held) inside.querySelector(`[name="${held}"]`)?.focus();
    problems();
  }

  function problems() {
    const said = JSON.stringify(state.problems);
    if (!state.problems.length) dismissed = "";
    if (!state.problems.length || said === dismissed) {
      veil.hidden = true;
      return;
    }
    const list = make("ol");
    for (const problem of state.problems) {
      const place = [problem.path, problem.line || ""].filter(Boolean).join(":");
      const item = make("li", "", make("h2", [place, problem.field].filter(Boolean).join("  ")));
      const what = make("p", problem.what), hint = make("p", problem.hint), frame = make("pre");
      what.className = "what";
      hint.className = "hint";
      item.append(what, ...(problem.hint ? [hint] : []));
      for (const [number, text] of problem.frame) frame.append(make(number === problem.line ? "b" : "span", `${String(number).padStart(4)} │ ${text}`));
      if (problem.frame.length) item.append(frame);
      list.append(item);
    }
    const close = make("button", "Dismiss"), sheet = make("section"), count = state.problems.length;
    close.type = "button";
    close.addEventListener("click", dismiss);
    sheet.className = "sheet";
    sheet.setAttribute("role", "alert");
    sheet.setAttribute("aria-label", "Problems");
    sheet.append(make("header", "", make("h1", `${count} ${count === 1 ? "problem" : "problems"}`), close), list);
    veil.replaceChildren(sheet);
    veil.hidden = false;
  }

  const scripts = (tree) => [...tree.querySelectorAll("script[src]")].map((s) => s.getAttribute("src")).join("\n");

  async function refresh() {
    const answer = await fetch(location.href, { cache: "no-store" });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.redirected || scripts(next) !== scripts(document)) return location.reload();
    for (const link of document.querySelectorAll("link[data-swapped]")) {
      const path = new URL(link.href).pathname;
      [...next.querySelectorAll("link[href]")].find((l) => new URL(l.href).pathname === path)?.replaceWith(link.cloneNode());
    }
    Idiomorph.morph(document.documentElement, next.documentElement, {
      ignoreActiveValue: true,
      head: { style: "morph" },
      callbacks: {
        beforeNodeRemoved: (node) => node !== host,
        beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details"),
      },
    });
  }

  function restyle(paths) {
    for (const link of document.querySelectorAll('link[rel="stylesheet"]')) {
      const url = new URL(link.href);
      if (!paths.includes(url.pathname)) continue;
      const next = link.cloneNode();
      url.searchParams.set("v", Date.now());
      next.href = url;
      next.dataset.swapped = "";
      next.addEventListener("load", () => link.remove());
      link.after(next);
    }
  }

  const send = (said) => socket && socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(said));

  function connect() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}live`);
    socket.addEventListener("open", () => send({ page: location.pathname }));
    socket.addEventListener("message", (event) => {
      const said = JSON.parse(event.data);
      wait = 200;
      if (run && run !== said.run) refresh();
      run = said.run;
      state = said.state;
      if (said.go && said.go !== location.pathname) return location.assign(said.go);
      if (said.reload) return location.reload();
      if (said.styles.length) restyle(said.styles);
      if (said.changed) refresh();
      show();
    });
    socket.addEventListener("close", () => {
      show();
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, 2000);
    });
  }

  fetch(`${base}client.css`).then((answer) => answer.text()).then((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [sheet];
    document.body.append(host);
    connect();
  });
})();
