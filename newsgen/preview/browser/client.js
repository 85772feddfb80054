// The preview in the browser: patches the open page after a build, keeping scroll position and input; shows problems in an
// overlay, and the gates in a bar.
(() => {
  "use strict";
  const script = new URL(document.currentScript.src);
  const base = script.pathname.replace(/client\.js$/, "");
  const host = document.createElement("newsgen-preview");
  const root = host.attachShadow({ mode: "closed" });
  const gates = { held: "Held", draft: "Drafts", future: "Future", expired: "Expired" };
  let state = null, run = "", socket = null, wait = 200, dismissed = "";

  const element = (tag, text = "", ...rest) => {
    const created = document.createElement(tag);
    created.textContent = text;
    created.append(...rest);
    return created;
  };
  const barState = (value) => {
    try {
      return value === undefined ? localStorage.getItem("newsgen-bar") : localStorage.setItem("newsgen-bar", value);
    } catch {
      return null;
    }
  };

  const bar = element("details"), summary = element("summary"), content = element("div");
  bar.className = "bar";
  content.className = "content";
  bar.open = barState() === "open";
  bar.append(summary, content);
  // Not on "toggle": it fires later, and the browser may have left the page by then.
  summary.addEventListener("click", () => barState(bar.open ? "closed" : "open"));
  const overlay = element("div");
  overlay.className = "overlay";
  overlay.hidden = true;
  root.append(bar, overlay);
  document.addEventListener("keydown", (event) => event.key === "Escape" && !overlay.hidden && dismiss());

  function dismiss() {
    dismissed = JSON.stringify(state.problems);
    overlay.hidden = true;
  }

  function show() {
    const connected = socket && socket.readyState === WebSocket.OPEN;
    const count = state ? state.problems.length : 0, warnings = state ? state.warnings : [];
    const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
    const found = [count && counted(count, "problem"), warnings.length && counted(warnings.length, "warning")].filter(Boolean);
    bar.classList.toggle("off", !connected);
    bar.classList.toggle("bad", count > 0);
    summary.textContent = !connected ? "Preview: disconnected" : found.length ? `Preview: ${found.join(", ")}` : "Preview";
    if (!state) return;
    const rows = Object.entries(gates).map(([gate, name]) => {
      const box = element("input"), label = element("label", "", box, element("span", `${name}: ${state.gates[gate].count}`), element("small", state.gates[gate].reason));
      box.type = "checkbox";
      box.name = gate;
      box.checked = state.show.includes(gate);
      box.addEventListener("change", () => send({ gate, on: box.checked }));
      return label;
    });
    const details = element("dl");
    for (const [name, value] of Object.entries({ Source: state.source, Template: state.template, "Rebuilt because": state.why })) {
      if (value) details.append(element("dt", name), element("dd", value));
    }
    for (const warning of warnings) {
      details.append(element("dt", "Warning"), element("dd", warning));
    }
    const focused = root.activeElement && root.activeElement.name;
    content.replaceChildren(...rows, details);
    if (focused) content.querySelector(`[name="${focused}"]`)?.focus();
    problems();
  }

  function problems() {
    const current = JSON.stringify(state.problems);
    if (!state.problems.length) dismissed = "";
    if (!state.problems.length || current === dismissed) {
      overlay.hidden = true;
      return;
    }
    const list = element("ol");
    for (const problem of state.problems) {
      const place = [problem.path, problem.line || ""].filter(Boolean).join(":");
      const item = element("li", "", element("h2", [place, problem.field].filter(Boolean).join("  ")));
      const what = element("p", problem.what), hint = element("p", problem.hint), frame = element("pre");
      what.className = "what";
      hint.className = "hint";
      item.append(what, ...(problem.hint ? [hint] : []));
      for (const [number, text] of problem.frame) frame.append(element(number === problem.line ? "b" : "span", `${String(number).padStart(4)} │ ${text}`));
      if (problem.frame.length) item.append(frame);
      list.append(item);
    }
    const close = element("button", "Dismiss"), sheet = element("section"), count = state.problems.length;
    close.type = "button";
    close.addEventListener("click", dismiss);
    sheet.className = "sheet";
    sheet.setAttribute("role", "alert");
    sheet.setAttribute("aria-label", "Problems");
    sheet.append(element("header", "", element("h1", `${count} ${count === 1 ? "problem" : "problems"}`), close), list);
    overlay.replaceChildren(sheet);
    overlay.hidden = false;
  }

  // What runs once, and what only the policy of another response allows.
  const scripts = (tree) => [...tree.querySelectorAll("script, head > style")].filter((s) => !(s.type || "").includes("json")).map((s) => s.getAttribute("src") || s.textContent).join("\n");

  async function refresh() {
    const response = await fetch(location.href, { cache: "no-store" });
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.redirected || scripts(next) !== scripts(document)) return location.reload();
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
    document.dispatchEvent(new Event("newsgen:changed"));
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

  const send = (message) => socket && socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));

  function connect() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}live`);
    socket.addEventListener("open", () => send({ page: location.pathname }));
    socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      wait = 200;
      if (run && run !== message.run) refresh();
      run = message.run;
      state = message.state;
      if (message.go && message.go !== location.pathname) return location.assign(message.go);
      if (message.reload) return location.reload();
      if (message.styles.length) restyle(message.styles);
      if (message.changed) refresh();
      show();
    });
    socket.addEventListener("close", () => {
      show();
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, 2000);
    });
  }

  fetch(`${base}client.css`).then((response) => response.text()).then((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [sheet];
    document.body.append(host);
    connect();
  });
})();
