// What is new, what to follow and what to hide. All of it stays in this browser: nothing is sent, and only pages of this
// site are asked for. Pages are whole without this script, and without what it keeps.
(() => {
  "use strict";
  const { root, following, words } = document.currentScript.dataset;
  const lang = document.documentElement.lang || "en", isEnglish = /^en\b/i.test(lang);
  // The calendar and digits are those of the page.
  const language = `${lang}-u-ca-gregory-nu-latn`;
  const MINUTE = 60_000, DAY = 1440, VISIT = 30;
  const MOST = { places: 500, seen: 3000, lists: 300, asked: 40, each: 30, shown: 60 };
  const minutes = () => Math.floor(Date.now() / MINUTE);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // English phrases; the page has those of another language. Some have a form for each category of numbers.

  const phrases = {
    new: "New:",
    since: "%(count)s new since %(time)s",
    follow: "Follow",
    hide: "Hide",
    unfollow: "Unfollow",
    show: "Show again",
    all: "All that you follow",
    story: "Full story",
    removed: "%(title)s: removed",
    full: "This browser keeps nothing for this site.",
    nothing: "This file has nothing to import.",
    imported: "%(count)s imported",
    forgotten: "All forgotten",
    left: { one: "%(count)s report of sources that you hide.", other: "%(count)s reports of sources that you hide." },
    change: "Change",
    ...JSON.parse(words || "{}"),
  };
  const plurals = new Intl.PluralRules(language);
  const say = (name, values = {}) => {
    const phrase = phrases[name], text = phrase[plurals.select(values.count ?? 0)] ?? phrase.other ?? phrase;
    return text.replace(/%\((\w+)\)s/g, (_, key) => values[key].toLocaleString(language));
  };

  // What is kept. Other programs and older versions may have written there, so nothing is taken on trust.

  const read = (name) => {
    try {
      const value = JSON.parse(localStorage.getItem(`newsgen ${root} ${name}`));
      return value && typeof value === "object" ? value : {};
    } catch {
      return {};
    }
  };
  const write = (name, value) => {
    try {
      localStorage.setItem(`newsgen ${root} ${name}`, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  };
  const isPlace = (address) => {
    try {
      const url = new URL(address, location.origin);
      return url.origin === location.origin && url.pathname === address && address.startsWith(root);
    } catch {
      return false;
    }
  };
  // The places in a value: the title of each, by its address.
  const placesIn = (value) =>
    new Map(
      Object.entries(value && typeof value === "object" ? value : {})
        .filter(([address, title]) => typeof title === "string" && isPlace(address))
        .slice(0, MOST.places)
        .map(([address, title]) => [address, title.slice(0, 200)]),
    );
  const places = (name) => placesIn(read(name));
  const keep = (name, map) => write(name, Object.fromEntries(map));
  const times = (name, most) =>
    new Map(
      Object.entries(read(name))
        .filter(([, time]) => Number.isFinite(time) && time <= minutes())
        .sort((a, b) => b[1] - a[1])
        .slice(0, most),
    );
  // FNV-1a, which is enough to tell links apart.
  const mark = (words) => {
    let hash = 0x811c9dc5;
    for (let at = 0; at < words.length; at++) hash = Math.imul(hash ^ words.charCodeAt(at), 0x01000193);
    return (hash >>> 0).toString(36);
  };

  // Hidden sources. A story that they lead keeps its place, with another of its headlines.

  const sourceOf = (entry) => entry.querySelector(".source a, .source, .by");
  const isHidden = (entry, hidden, names) => {
    const source = sourceOf(entry);
    return !!source && (hidden.has(source.pathname) || names.has(source.textContent.trim()));
  };
  function hide(within) {
    const hidden = places("hidden"), names = new Set(hidden.values());
    if (!hidden.size || [...hidden.keys()].some((address) => location.pathname.startsWith(address))) return 0;
    let count = 0;
    for (const line of all(".more li", within)) line.hidden = isHidden(line, hidden, names);
    for (const entry of all(".row, .report, .river li, .block li", within)) {
      if (!isHidden(entry, hidden, names)) continue;
      const other = entry.querySelector(".more li:not([hidden])"), link = other?.querySelector("a");
      const headline = entry.querySelector(".p-name .u-url"), source = entry.querySelector(".source");
      if (link && headline && source) {
        source.textContent = other.querySelector(".by").textContent;
        headline.replaceWith(link);
        link.className = "u-url";
        entry.querySelector(".when")?.replaceWith(other.querySelector("time"));
        all(".picture, .summary, .more li", entry).forEach((part) => part.remove());
      } else {
        entry.hidden = true;
        count += 1;
      }
    }
    return count;
  }

  // What is new. A visit ends after half an hour without a page. An entry is new if no page showed it before this visit.

  function visit() {
    const now = minutes(), old = read("visit"), isKnown = Number.isFinite(old.last) && old.last <= now;
    const isSame = isKnown && now - old.last < VISIT && Number.isFinite(old.start);
    const current = {
      start: isSame ? old.start : now,
      before: isSame ? (Number.isFinite(old.before) ? old.before : 0) : isKnown ? old.last : 0,
      last: now,
    };
    write("visit", current);
    return current;
  }
  function news(within, { start, before }) {
    const seen = times("seen", MOST.seen), lists = times("lists", MOST.lists), now = minutes();
    const list = location.pathname, isKnown = before > 0 && lists.has(list) && lists.get(list) < start;
    const found = new Set();
    for (const entry of all(".h-feed .h-entry, .river li, .block li", within)) {
      const link = entry.querySelector(".u-url, .headline a") || entry.querySelector("a[href]");
      const time = Date.parse(entry.querySelector("time")?.dateTime) / MINUTE;
      if (!link || entry.hidden) continue;
      const key = mark(link.href);
      if (!seen.has(key)) seen.set(key, now);
      // What is older than a day has only moved.
      if (!isKnown || seen.get(key) < start || !(time > before - DAY)) continue;
      found.add(key);
      if (!entry.classList.contains("fresh")) (entry.querySelector(".meta") || entry).prepend(make("span", { className: "unseen", textContent: `${say("new")} ` }));
      entry.classList.add("fresh");
    }
    if (!lists.has(list)) lists.set(list, now);
    write("seen", Object.fromEntries(seen));
    write("lists", Object.fromEntries(lists));
    return found.size;
  }
  function since(before) {
    const then = new Date(before * MINUTE), age = minutes() - before;
    const isToday = then.toDateString() === new Date().toDateString();
    const clock = isEnglish ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { hour: "numeric", minute: "2-digit" }, date = { day: "numeric", month: "short" };
    return new Intl.DateTimeFormat(language, isToday ? clock : age < 6 * DAY ? { weekday: "short", ...clock } : date).format(then);
  }
  function announce(count, before) {
    document.querySelector(".news")?.remove();
    if (!count) return;
    let at = -1;
    const button = make("button", { type: "button", className: "news", textContent: say("since", { count, time: since(before) }) });
    button.addEventListener("click", () => {
      const fresh = all(".fresh").filter((entry) => entry.offsetParent);
      at += 1;
      if (at >= fresh.length) return button.remove();
      const entry = fresh[at];
      entry.scrollIntoView({ block: "center" });
      (entry.querySelector(".u-url, .headline a") || entry.querySelector("a[href]")).focus({ preventScroll: true });
    });
    document.getElementById("main").prepend(button);
  }

  // Times of the last day, as a distance from now. Their dates stay in `datetime`, and the words of the page come back.

  const relative = new Intl.RelativeTimeFormat(language, { style: "narrow", numeric: "auto" });
  function tell() {
    for (const time of all(".meta time, .at")) {
      const age = minutes() - Date.parse(time.dateTime) / MINUTE;
      time.dataset.was ??= time.textContent;
      const isNear = time.dateTime.includes("T") && age >= 0 && age < DAY && !/\d{4}/.test(time.dataset.was);
      const told = !isNear ? time.dataset.was : age < 1 ? relative.format(0, "second") : age < 60 ? relative.format(-Math.floor(age), "minute") : relative.format(-Math.floor(age / 60), "hour");
      if (time.textContent !== told) time.textContent = told;
      if (isNear) time.title = new Date(time.dateTime).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    }
  }

  // The buttons of a topic, source or story.

  function toggle(name, words, address, title) {
    const button = make("button", { type: "button", className: name, textContent: words });
    button.append(make("span", { className: "unseen", textContent: ` ${title}` }));
    const show = () => button.setAttribute("aria-pressed", places(name).has(address));
    button.addEventListener("click", () => {
      const map = places(name);
      if (!map.delete(address)) map.set(address, title);
      const isKept = keep(name, map);
      show();
      if (!isKept) button.after(make("span", { role: "alert", textContent: say("full") }));
    });
    show();
    return button;
  }
  function offer() {
    const place = document.querySelector(".mine"), title = document.querySelector("h1")?.textContent.trim().slice(0, 200);
    if (!place || !title || !isPlace(location.pathname)) return;
    const buttons = [toggle("follow", say("follow"), location.pathname, title)];
    if (place.dataset.of === "provider") buttons.push(toggle("hidden", say("hide"), location.pathname, title));
    place.replaceChildren(...buttons, make("a", { href: following, textContent: say("all") }));
  }

  // The page of all that is followed.

  async function entriesOf(address) {
    try {
      const response = await fetch(address, { credentials: "omit" });
      const page = new DOMParser().parseFromString(response.ok ? await response.text() : "", "text/html");
      const isStory = page.querySelector(".mine")?.dataset.of === "story";
      return all(".h-feed .h-entry", page).slice(0, MOST.each).map((entry) => {
        const copy = document.importNode(entry, true);
        copy.className = "row h-entry";
        [copy, ...all("[id]", copy)].forEach((part) => part.removeAttribute("id"));
        if (isStory) copy.querySelector(".meta")?.append(make("a", { className: "whole", href: address, textContent: say("story") }));
        return copy;
      });
    } catch {
      return [];
    }
  }
  function lists(page, report) {
    for (const [name, words] of [["follow", say("unfollow")], ["hidden", say("show")]]) {
      const map = places(name), list = page.querySelector(`[data-list=${name}]`);
      const items = [...map].map(([address, title]) => {
        const button = make("button", { type: "button", textContent: words });
        button.append(make("span", { className: "unseen", textContent: ` ${title}` }));
        button.addEventListener("click", () => {
          const now = places(name);
          now.delete(address);
          report(keep(name, now) ? say("removed", { title }) : say("full"));
          start();
        });
        return make("li", {}, make("a", { href: address, textContent: title }), " ", button);
      });
      list.replaceChildren(...items);
      list.nextElementSibling.hidden = items.length > 0;
    }
  }
  async function view(page, current) {
    const status = page.querySelector("[role=status]"), report = (words) => (status.textContent = words);
    lists(page, report);
    const count = places("follow").size;
    page.classList.toggle("filling", count > 0);
    page.querySelector(".h-feed + p").hidden = count > 0;
    const pages = await Promise.all([...places("follow").keys()].slice(0, MOST.asked).map(entriesOf));
    const entries = pages.flat(), feed = page.querySelector(".h-feed"), found = new Map();
    const timeOf = (entry) => Date.parse(entry.querySelector("time")?.dateTime) || 0;
    hide(make("div", {}, ...entries));
    // One entry of a story is enough.
    for (const entry of entries.filter((each) => !each.hidden).sort((a, b) => timeOf(b) - timeOf(a))) {
      const link = entry.querySelector(".whole") || entry.querySelector(".u-url");
      if (link && !found.has(link.href)) found.set(link.href, entry);
    }
    feed.replaceChildren(...[...found.values()].slice(0, MOST.shown));
    feed.nextElementSibling.hidden = found.size > 0;
    page.classList.toggle("filling", found.size > 0);
    announce(news(page, current), current.before);
    tell();
  }
  function controls(page) {
    const status = page.querySelector("[role=status]"), report = (words) => (status.textContent = words);
    page.querySelector("[data-do=export]").addEventListener("click", () => {
      const kept = Object.fromEntries(["follow", "hidden"].map((name) => [name, Object.fromEntries(places(name))]));
      const url = URL.createObjectURL(new Blob([JSON.stringify(kept, null, 2)], { type: "application/json" }));
      make("a", { href: url, download: "following.json" }).click();
      setTimeout(() => URL.revokeObjectURL(url), MINUTE);
    });
    const file = page.querySelector("input[type=file]");
    file.addEventListener("change", async () => {
      let value = null;
      try {
        value = JSON.parse(await file.files[0].text());
      } catch {}
      file.value = "";
      const added = ["follow", "hidden"].map((name) => [name, placesIn(value?.[name])]);
      const count = added.reduce((sum, [, map]) => sum + map.size, 0);
      const isKept = added.every(([name, map]) => keep(name, new Map([...places(name), ...map])));
      report(!count ? say("nothing") : isKept ? say("imported", { count }) : say("full"));
      start();
    });
    page.querySelector("[data-do=forget]").addEventListener("click", () => {
      for (const name of ["follow", "hidden", "seen", "lists", "visit"]) write(name, {});
      report(say("forgotten"));
      start();
    });
  }

  function start() {
    const current = visit(), page = document.getElementById("following");
    offer();
    if (page) return view(page, current);
    const count = hide(document), main = document.getElementById("main");
    main.querySelector(".left-out")?.remove();
    if (count) {
      const link = make("a", { href: following, textContent: say("change") });
      main.append(make("p", { className: "left-out facts" }, say("left", { count }), " ", link));
    }
    announce(news(document, current), current.before);
    tell();
  }
  const page = document.getElementById("following");
  if (page) controls(page);
  start();
  setInterval(() => document.hidden || tell(), MINUTE);
  document.addEventListener("visibilitychange", () => document.hidden || tell());
  document.addEventListener("newsgen:changed", start);
})();
