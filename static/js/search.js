"use strict";
// Searches this site in the browser. newsgen/pages/search.py describes the files of the index. What comes from them
// becomes text and links, never markup.
{
  const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  const SHOWN = 8; // results at a time
  const DAYS = 7; // days that are searched at least
  const PERIODS = 4; // more periods that are searched: unasked if nothing has been found, or little in small ones
  const FEW = 10;
  const WEIGHTS = [1.65, 1, 0.45]; // the scores of the levels

  // Words: the same as in newsgen/stories/words.py.

  const HAN = "\\u3005\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
  const SOUTHEAST = "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff";
  const UNSPACED = new RegExp(`[${SOUTHEAST}]+|[\\u3040-\\u30ff${HAN}]+|[\\uac00-\\ud7a3]+`, "gu");
  const IS_UNSPACED = new RegExp(`^[${SOUTHEAST}\\u3040-\\u30ff${HAN}\\uac00-\\ud7a3]`, "u");
  const IS_HAN = new RegExp(`[${HAN}]`, "u");
  const WORD = /[\p{L}\p{N}\p{M}]+(?:\.[\p{L}\p{N}\p{M}]+)*/gu;
  const OPTIONAL = /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0655\u0670\u200b-\u200f\u00ad\u2060]/g;
  const SIGNS = { "’": "'", "‘": "'", "“": '"', "”": '"', "–": "~", "—": "~", "…": ".", "\u00a0": " " };

  const fold = text =>
    text.toLowerCase().toUpperCase().toLowerCase().replace(/ς/g, "σ").normalize("NFD").replace(/[\u0300-\u036f\u0653-\u0655]/g, "").normalize("NFC");

  function words(text) {
    text = text.replace(/[’‘“”–—…\u00a0]/g, sign => SIGNS[sign]);
    if (/[^\0-\x7f]/.test(text)) text = text.normalize("NFKC").replace(OPTIONAL, "");
    text = text.replace(/([\p{L}\p{N}_])'[sS](?![\p{L}\p{N}_])/gu, "$1");
    const pieces = [];
    text = text.replace(UNSPACED, run => {
      const letters = [...run];
      for (let at = 0; at < Math.max(1, letters.length - 1); at++) pieces.push(letters[at] + (letters[at + 1] ?? ""));
      if (letters.length > 1) pieces.push(...letters.filter(letter => IS_HAN.test(letter)));
      return " ";
    });
    const found = (text.match(WORD) ?? []).map(word => [...fold(word).replaceAll(".", "")].slice(0, 10));
    return [...pieces.map(fold), ...found.filter(word => word.length > 1).map(word => word.join(""))];
  }

  // How well a word of the index fits one that was asked for, 0 to 1: the same, an inflected form, or a beginning.
  function fit(asked, word, isTyped) {
    if (word === asked) return 1;
    if (IS_UNSPACED.test(asked)) return 0;
    const more = word.length - asked.length;
    if (word.startsWith(asked)) return asked.length > 3 && more < 4 ? 0.8 : isTyped && asked.length > 2 ? 0.5 : 0;
    return asked.startsWith(word) && word.length > 3 && more > -4 ? 0.7 : 0;
  }

  // The index.

  const { words: translated } = document.currentScript.dataset;
  const page = document.querySelector("[data-index]");
  const root = page.dataset.index;
  const files = new Map();

  function load(name) {
    if (!files.has(name)) {
      const answer = fetch(root + name, { cache: "no-cache" }).then(response => {
        if (!response.ok) throw new Error(`${response.status} ${name}`);
        return response.json();
      });
      answer.catch(() => files.delete(name));
      files.set(name, answer);
    }
    return files.get(name);
  }

  function shard(word, shards) {
    let value = 0;
    for (const letter of [...word].slice(0, 3)) value = (Math.imul(value, 31) + letter.codePointAt(0)) >>> 0;
    return value % shards;
  }

  function numbers(written) {
    const found = [];
    let number = 0;
    for (const digit of written) {
      const value = DIGITS.indexOf(digit);
      number = number * 32 + (value % 32);
      if (value < 32) {
        found.push(number);
        number = 0;
      }
    }
    return found;
  }

  const documents = written => {
    let last = -1;
    return numbers(written).map(number => (last += number + 1));
  };

  class Stale extends Error {}

  // The matches of each word in a period: the weights of documents by their numbers.
  async function match(period, asked) {
    const at = [...new Set(asked.map(({ word }) => shard(word, period.shards)))];
    const shards = await Promise.all(at.map(number => load(`${period.key}/w${number}.json`)));
    if (shards.some(file => file.version !== shards[0].version || file.shards !== period.shards)) throw new Stale();
    period.version = shards[0].version;
    if (period.read !== shards[0]) {
      period.read = shards[0];
      period.blocks = [];
      period.size = 0;
      for (const [day, sizes, ids] of shards[0].days) {
        numbers(sizes).forEach((size, number) => {
          period.blocks.push({ day, number, size, first: period.size, id: ids.slice(number * 4, number * 4 + 4) });
          period.size += size;
        });
      }
    }
    return asked.map(({ word, isTyped }) => {
      const found = new Map();
      let before = "";
      for (const line of shards[at.indexOf(shard(word, period.shards))].words.split("\n")) {
        const [spelled, ...levels] = line.split(" ");
        before = [...before].slice(0, DIGITS.indexOf(spelled[0])).join("") + spelled.slice(1);
        const quality = fit(word, before, isTyped);
        if (!quality) continue;
        levels.forEach((level, at) => {
          for (const number of documents(level)) {
            found.set(number, Math.max(found.get(number) ?? 0, quality * WEIGHTS[at]));
          }
        });
      }
      return found;
    });
  }

  const blockOf = (period, number) => period.blocks.findLast(block => block.first <= number);

  async function facets(period) {
    const file = await load(`${period.key}/facets.json`);
    if (file.version !== period.version) throw new Stale();
    if (period.facets !== file) {
      period.facets = file;
      period.topics = file.ofTopics.split(",").map(written => numbers(written).map(at => file.topics[at]));
      period.sources = file.ofSources.split(",").map(written => numbers(written).map(at => file.sources[at]));
    }
  }

  // What is asked for, and what has been found.

  const $ = id => document.getElementById(id);
  const field = $("q");
  // The dates of the page: 8 November 2026, in its calendar and digits.
  const language = `${document.documentElement.lang.replace(/^(en\b.*)?$/i, "en-GB")}-u-ca-gregory-nu-latn`;
  const dated = options => {
    const format = new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
    return key => format.format(new Date(key));
  };
  const monthOf = dated({ year: "numeric", month: "long" });
  const dayOf = dated({ dateStyle: "long" });
  const shortDayOf = dated({ day: "numeric", month: "short", year: "numeric" });
  const NAMES = [...Array(12).keys()].map(month => dated({ month: "long" })(Date.UTC(2000, month)));

  // The phrases are those of the page. Some have a form for each category of numbers.
  const phrases = JSON.parse(translated ?? "{}");
  const plurals = new Intl.PluralRules(language);
  const listing = new Intl.ListFormat(language);

  function say(name, values = {}) {
    const phrase = phrases[name] ?? name;
    const text = phrase[plurals.select(values.count ?? 0)] ?? phrase.other ?? phrase;
    return text.replace(/%\((\w+)\)s/g, (_, key) => values[key].toLocaleString(language));
  }
  const title = document.title;
  let turn = 0;
  let state = null;

  function make(name, text, attributes = {}) {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return element;
  }

  function link(text, url) {
    return /^(https?:\/\/|\/(?!\/))/.test(url) ? make("a", text, { href: url }) : make("span", text);
  }

  function ask(text) {
    // Of the pairs of characters in a text without spaces, every second one is enough, and the last. Single characters
    // are asked for only if there is nothing else.
    const all = words(text).filter((word, at, list) => {
      if (!IS_UNSPACED.test(word)) return true;
      const [one, other] = word;
      if (!other) return list.length === 1;
      let place = at;
      while (list[place - 1]?.endsWith(one) && IS_UNSPACED.test(list[place - 1])) place--;
      return (at - place) % 2 === 0 || !list[at + 1]?.startsWith(other);
    });
    return [...new Set(all)].slice(0, 12).map((word, at, list) => ({ word, isTyped: at === list.length - 1 && /\S$/.test(text) }));
  }

  const params = () => new URLSearchParams(location.search);
  const chosen = name => params().get(name) ?? "";

  async function run(again = true) {
    const mine = ++turn;
    const text = chosen("q").slice(0, 300);
    const asked = ask(text);
    page.hidden = !text.trim();
    $("all")?.toggleAttribute("hidden", !page.hidden);
    if (document.activeElement !== field) field.value = text;
    document.title = (page.hidden ? "" : `${text.trim()} · `) + title;
    if (page.hidden) return void ($("found").textContent = "");
    $("found").textContent = say(asked.length ? "searching" : "short");
    if (!asked.length) return clear();
    try {
      const index = await load("index.json");
      const periods = index.periods.map(([key, shards, days]) => ({ key, shards, days }));
      const period = chosen("period");
      const within = period ? periods.filter(({ key, days }) => key === period || days.includes(period)) : periods;
      const next = { text, asked, index, periods: within, day: period.length > 7 ? period : "", ready: [], hits: [], shown: 0, results: new Map() };
      let first = 0;
      for (let covered = 0; first < within.length && covered < DAYS; first++) covered += within[first].days.length;
      await search(next, first);
      for (let more = PERIODS; more && within[next.ready.length]; more--) {
        if (next.full >= (within[next.ready.length].shards > 1 ? 1 : FEW)) break;
        await search(next, 1);
      }
      await shownNow(next, mine);
      if (mine === turn) named(next, mine).catch(() => {});
    } catch (error) {
      if (mine !== turn) return;
      files.clear();
      if (again) return run(false);
      clear();
      $("found").textContent = say("failed");
      console.error(error);
    }
  }

  function clear() {
    state = null;
    for (const id of ["results", "named"]) $(id).replaceChildren();
    $("more").hidden = $("names").hidden = true;
  }

  // Searches so many more periods, and ranks the matches of all.
  async function search(next, count) {
    const added = next.periods.slice(next.ready.length, next.ready.length + count);
    await Promise.all(added.map(async period => {
      period.matches = await match(period, next.asked);
      if (chosen("topic") || chosen("source") || $("narrow").open) await facets(period);
    }));
    next.ready.push(...added);
    const newest = Date.parse(next.index.periods[0]?.[2].at(-1));
    const size = next.ready.reduce((sum, period) => sum + period.size, 0);
    const rarity = next.asked.map((_, at) => {
      const matches = next.ready.reduce((sum, period) => sum + period.matches[at].size, 0);
      return Math.log(1 + (size - matches + 0.5) / (matches + 0.5));
    });
    // Words that are in a third of all documents need not match.
    const needed = rarity.map(value => value > 1);
    const hits = [];
    for (const period of next.ready) {
      const scores = new Map();
      period.matches.forEach((found, at) => {
        for (const [number, weight] of found) {
          const entry = scores.get(number) ?? [0, 0];
          entry[0] += weight * rarity[at];
          entry[1] += needed[at] || !needed.some(Boolean) ? 1 : 0;
          scores.set(number, entry);
        }
      });
      let block = 0;
      for (const [number, [score, matched]] of [...scores].sort((one, other) => one[0] - other[0])) {
        while (period.blocks[block].first + period.blocks[block].size <= number) block++;
        const age = (newest - Date.parse(period.blocks[block].day)) / 864e5;
        if (next.day && next.day !== period.blocks[block].day) continue;
        hits.push({ period, block: period.blocks[block], number, matched, score: score * (0.5 + 0.5 * 2 ** (-age / 7)) });
      }
    }
    const most = needed.some(Boolean) ? needed.filter(Boolean).length : 1;
    const isIn = (hit, axis, name) => !name || hit.period[axis][hit.number].includes(name);
    next.all = hits.filter(hit => hit.matched >= most);
    next.isPartial = !next.all.length && most > 1;
    if (next.isPartial) {
      const best = Math.max(0, ...hits.map(hit => hit.matched));
      next.all = hits.filter(hit => hit.matched === best);
    }
    next.hits = next.all.filter(hit => isIn(hit, "topics", chosen("topic")) && isIn(hit, "sources", chosen("source")));
    next.full = next.isPartial ? 0 : next.hits.length;
    next.hits.sort((one, other) => other.score - one.score || other.block.first - one.block.first || other.number - one.number);
    next.shown = 0;
    next.results = new Map();
  }

  // Loads the next results.
  async function collect(next, count) {
    const hits = next.hits.slice(next.shown, next.shown + count);
    const blocks = await Promise.all(hits.map(({ block }) => load(`${block.day}/${block.number}.json`)));
    hits.forEach((hit, at) => {
      if (blocks[at].id !== hit.block.id) throw new Stale();
      const [url, inStory, reports] = blocks[at].results[hit.number - hit.block.first];
      const rows = reports.map(([title, source, time, lang]) => ({ title, source, time, lang, day: hit.block.day }));
      const known = next.results.get(url);
      if (known) known.rows.push(...rows);
      else next.results.set(url, { url, inStory, rows });
    });
    next.shown += hits.length;
  }

  async function shownNow(next, mine) {
    if (!next.shown) await collect(next, SHOWN);
    if (mine !== turn) return;
    state = next;
    $("results").replaceChildren(...[...next.results.values()].map(result => row(result, next.asked)));
    const days = next.ready.flatMap(period => period.days).sort();
    const span = next.day || days.length < 2 ? dayOf(next.day || days[0]) : say("span", { first: dayOf(days[0]), last: dayOf(days.at(-1)) });
    const count = next.hits.length - next.shown + next.results.size; // days of a story are one result
    $("found").textContent = say(!count ? "nothing" : next.isPartial ? "some" : "results", { count, span });
    const older = next.periods[next.ready.length];
    $("more").hidden = next.shown >= next.hits.length && !older;
    $("more").textContent = next.shown < next.hits.length ? say("more") : older ? say("older", { period: titleOf(older.key) }) : "";
    choices();
  }

  const titleOf = key => (key.length > 7 ? dayOf : monthOf)(key);

  // One result, with the words that were asked for marked.
  function row({ url, inStory, rows }, asked) {
    const ranked = rows.map(report => ({ report, marks: marks(report.title, asked) }));
    const best = ranked.reduce((one, other) => (other.marks.count > one.marks.count ? other : one));
    const item = make("li", "", { class: "row" });
    const meta = make("p", "", { class: "meta" });
    const when = ({ day, time }) => make("time", time ? say("moment", { day: shortDayOf(day), time }) : shortDayOf(day), { class: "when", datetime: time ? `${day} ${time}` : day });
    meta.append(make("span", best.report.source, { class: "source" }), " ", when(best.report));
    const heading = make("h3", "", { dir: "auto" });
    const anchor = link("", url);
    if (best.report.lang) anchor.lang = best.report.lang;
    anchor.append(...best.marks.nodes);
    heading.append(anchor);
    item.append(meta, heading);
    const sources = [...new Set(rows.map(report => report.source))];
    if (inStory) {
      const others = sources.filter(source => source !== best.report.source);
      const among = make("p", "", { class: "among" });
      const more = others.length > 4 ? [say("rest", { count: others.length - 4 })] : [];
      const [before, after] = others.length ? say("with", { sources: "\0" }).split("\0") : [say("others"), ""];
      const parts = listing.formatToParts([...others.slice(0, 4), ...more]);
      among.append(before, ...parts.map(({ type, value }) => (type === "element" ? make("bdi", value) : value)), after);
      item.append(among);
    }
    return item;
  }

  function marks(title, asked) {
    const nodes = [];
    const found = new Set();
    let at = 0;
    const mark = (start, end) => {
      nodes.push(title.slice(at, start), make("mark", title.slice(start, end)));
      at = end;
    };
    for (const token of title.matchAll(/[\p{L}\p{N}\p{M}.'’]+/gu)) {
      const run = token[0];
      const parts = asked.filter(({ word }) => IS_UNSPACED.test(word) && fold(run).includes(word));
      const own = words(run);
      const whole = asked.filter(({ word, isTyped }) => own.some(other => !IS_UNSPACED.test(other) && fit(word, other, isTyped)));
      for (const { word } of [...parts, ...whole]) found.add(word);
      if (whole.length) mark(token.index, token.index + run.length);
      else if (parts.length) {
        const covered = [...run].map(() => false);
        for (const { word } of parts) {
          for (let from = run.indexOf(word); from >= 0; from = run.indexOf(word, from + 1)) covered.fill(true, from, from + word.length);
        }
        for (let from = 0; from < run.length; from++) {
          let to = from;
          while (covered[to]) to++;
          if (to > from) mark(token.index + from, token.index + to);
          from = to;
        }
      }
    }
    nodes.push(title.slice(at));
    return { nodes: nodes.filter(Boolean), count: found.size };
  }

  // Topics, sections, sources and days.
  async function named(next, mine) {
    const { asked, index, text } = next;
    const file = index.names ? await load(`names/${shard(asked[0].word, index.names)}.json`) : [];
    if (mine !== turn) return;
    const found = file
      .map(([kind, title, url]) => {
        const own = words(title);
        const fits = asked.map(({ word }) => Math.max(0, ...own.map(other => fit(word, other, true))));
        return { kind, title, url, rank: Math.min(...fits) && fits.reduce((sum, one) => sum + one) / own.length };
      })
      .filter(({ rank }) => rank)
      .sort((one, other) => other.rank - one.rank)
      .slice(0, 8);
    const items = [...found, ...days(text, index)].map(({ kind, title, url }) => {
      const item = make("li");
      item.append(link(title, url), " ", make("span", kind, { class: "count" }));
      return item;
    });
    $("named").replaceChildren(...items);
    $("names").hidden = !items.length;
  }

  function days(text, index) {
    if (!page.dataset.archive) return [];
    const iso = text.match(/(?<!\d)(\d{4})[-年](\d\d?)(?:[-月](\d\d?))?(?!\d)/);
    let [year, month, day] = iso ? iso.slice(1).map(part => Number(part ?? 0)) : [0, 0, 0];
    for (const word of iso ? [] : words(text)) {
      const number = Number(word.replace(/(st|nd|rd|th)$/, ""));
      if (number > 1000) year = number;
      else if (number > 0 && number < 32) day = number;
      else if (word.length > 2) month ||= 1 + NAMES.findIndex(name => fold(name).startsWith(word));
    }
    if (!month) return [];
    return index.periods
      .flatMap(period => period[2])
      .sort()
      .reverse()
      .filter(key => {
        const [ofYear, ofMonth, ofDay] = key.split("-").map(Number);
        return ofMonth === month && (!year || ofYear === year) && (!day || ofDay === day);
      })
      .slice(0, 5)
      .map(key => ({ kind: say("day"), title: dayOf(key), url: `${page.dataset.archive}${key.replaceAll("-", "/")}/` }));
  }

  // Facets.

  function choices() {
    const fill = (id, all, options) => {
      const value = chosen(id);
      if (value && !options.some(([key]) => key === value)) options.unshift([value, value]);
      $(id).replaceChildren(...[["", all], ...options].map(([key, title]) => {
        const option = make("option", title);
        option.value = key;
        option.selected = key === value;
        return option;
      }));
    };
    const hits = state?.all ?? [];
    for (const [id, axis, all] of [["topic", "topics", say("topics")], ["source", "sources", say("sources")]]) {
      const counts = new Map();
      for (const { period, number } of hits) {
        for (const name of period[axis]?.[number] ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const names = [...counts].sort((one, other) => other[1] - one[1]).slice(0, 50);
      fill(id, all, names.map(([name]) => [name, name]));
    }
    const periods = state?.index.periods ?? [];
    const newest = periods.flatMap(period => period[2]).sort().reverse().slice(0, 7);
    const months = [...new Set(periods.map(([key]) => key.slice(0, 7)))];
    const monthly = months.filter(month => periods.some(([key]) => key === month));
    fill("period", say("time"), [...newest, ...monthly].map(key => [key, titleOf(key)]));
  }

  function change(values, push) {
    const query = params();
    for (const key in values) {
      if (values[key]) query.set(key, values[key]);
      else query.delete(key);
    }
    const url = `${location.pathname}${query.size ? `?${query}` : ""}`;
    if (push) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
    run();
  }

  let timer = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ q: field.value.trim() ? field.value : "" }), 80);
  });
  field.form.addEventListener("submit", event => {
    event.preventDefault();
    clearTimeout(timer);
    change({ q: field.value.trim() }, true);
  });
  for (const id of ["topic", "source", "period"]) $(id).addEventListener("change", event => change({ [id]: event.target.value }, true));
  $("narrow").addEventListener("toggle", async () => {
    if (!$("narrow").open || !state) return;
    await Promise.all(state.ready.map(facets)).catch(() => run());
    choices();
  });
  $("more").addEventListener("click", async () => {
    const next = state;
    const before = next.results.size;
    try {
      if (next.shown < next.hits.length) await collect(next, SHOWN);
      else {
        await search(next, PERIODS);
        await collect(next, before + SHOWN);
      }
      await shownNow(next, turn);
      $("results").children[before]?.querySelector("a")?.focus();
    } catch {
      files.clear();
      run();
    }
  });
  addEventListener("popstate", () => {
    field.value = chosen("q");
    run();
  });
  const slash = $("slash");
  slash.closest("p").hidden = false;
  try {
    slash.checked = localStorage.getItem("newsgen.slash") !== "off";
    slash.addEventListener("change", () => localStorage.setItem("newsgen.slash", slash.checked ? "on" : "off"));
  } catch {
    slash.closest("p").remove();
  }
  if (chosen("topic") || chosen("source") || chosen("period")) $("narrow").open = true;
  if (!chosen("q")) field.focus();
  load("index.json").catch(() => {});
  run();
}
