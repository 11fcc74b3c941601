"use strict";
// Everything is drawn already; this lets one select, filter and hide. It requests nothing.
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const runs = $$(".run").map((section) => ({ section, data: null }));
  const state = { run: 0, step: null, full: false, filter: "", hidden: new Set() };

  const make = (tag, text, ...children) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    element.append(...children);
    return element;
  };

  // Reads what is known of a run, when it is shown first.
  const current = () => {
    const run = runs[state.run];
    if (!run.data) {
      run.data = JSON.parse($(".data", run.section).textContent);
      run.index = new Map(run.data.steps.map((step, at) => [step.step, at]));
      run.rows = new Map($$(".step", run.section).map((row) => [Number(row.dataset.step), row]));
      run.lines = new Map($$(".lines", run.section).map((g) => [Number(g.dataset.step), g]));
      run.followed = new Map();
      for (const step of run.data.steps) {
        for (const cause of step.causes) {
          if (!run.followed.has(cause)) run.followed.set(cause, []);
          run.followed.get(cause).push(step.step);
        }
      }
      run.texts = new Map([...run.rows].map(([step, row]) => [step, searchable(run, step, row)]));
    }
    return run;
  };

  // Says something of a step, and of the messages that are drawn for it.
  const mark = (run, step, name, holds) => {
    run.rows.get(step).classList.toggle(name, holds);
    run.lines.get(step)?.classList.toggle(name, holds);
  };

  const searchable = (run, number, row) => {
    const step = run.data.steps[run.index.get(number)];
    const parts = [row.textContent, step.action, ...step.changed, ...step.effects];
    return parts.join(" ").toLowerCase();
  };

  // All steps that can be reached from one by a relation between steps.
  const closure = (from, next) => {
    const found = new Set();
    const open = [from];
    while (open.length) {
      for (const other of next(open.pop()) || []) {
        if (!found.has(other)) {
          found.add(other);
          open.push(other);
        }
      }
    }
    return found;
  };

  const causesOf = (run) => (number) => run.data.steps[run.index.get(number)]?.causes;

  // The configuration after a step, from the changes up to it.
  const configuration = (run, number) => {
    const now = structuredClone(run.data.initial);
    for (const { step, change } of run.data.steps) {
      if (step > number) break;
      Object.assign(now.nodes, change.nodes);
      for (const gone of change.removed) {
        const text = JSON.stringify(gone);
        const at = now.network.findIndex((sent) => JSON.stringify(sent) === text);
        if (at >= 0) now.network.splice(at, 1);
      }
      now.network.push(...change.added);
      now.history.push(...change.history);
      if (change.cut) now.cut = change.cut;
    }
    return now;
  };

  const select = (number, { focus = true } = {}) => {
    const run = current();
    if (number !== null && !run.rows.has(number)) number = nearest(run, number);
    state.step = number;
    const before = number === null ? new Set() : closure(number, causesOf(run));
    const after = number === null ? new Set() : closure(number, (n) => run.followed.get(n));
    const diagram = $(".diagram", run.section);
    for (const [step, row] of run.rows) {
      mark(run, step, "selected", step === number);
      mark(run, step, "before", before.has(step));
      mark(run, step, "after", after.has(step));
      row.setAttribute("aria-selected", String(step === number));
    }
    diagram.classList.toggle("related", number !== null);
    for (const vertex of $$(".vertex", run.section)) {
      vertex.classList.toggle("selected", number !== null && Number(vertex.dataset.step) === number
        && vertex.dataset.step !== undefined);
    }
    if (number === null) diagram.removeAttribute("aria-activedescendant");
    else {
      const row = run.rows.get(number);
      diagram.setAttribute("aria-activedescendant", row.id);
      if (focus) reveal($(".canvas", run.section), $(".hit", row));
    }
    describe(run, number, before, after);
    remember();
  };

  const nearest = (run, number) => {
    const steps = run.data.steps.map((step) => step.step);
    if (!steps.length) return null;
    return steps.findLast((step) => step <= number) ?? steps[0];
  };

  // Scrolls no further than needed, below the names of the lanes.
  const reveal = (canvas, mark) => {
    const [box, inner] = [canvas.getBoundingClientRect(), mark.getBoundingClientRect()];
    const top = box.top + 48;
    if (inner.top < top) canvas.scrollTop -= top - inner.top + 40;
    else if (inner.bottom > box.bottom - 16) canvas.scrollTop += inner.bottom - box.bottom + 56;
    const outer = canvas.closest("main").getBoundingClientRect();
    const now = mark.getBoundingClientRect();
    if (now.top < outer.top || now.bottom > outer.bottom) mark.scrollIntoView({ block: "nearest" });
  };

  const describe = (run, number, before, after) => {
    const place = $("#selected");
    place.replaceChildren();
    if (number === null) {
      const hint = make("p", "Select a step: click it, or press the arrow keys.");
      hint.className = "hint";
      place.append(hint);
      return;
    }
    const step = run.data.steps[run.index.get(number)];
    place.append(make("h2", `${number}  ${step.action}`));
    if (step.failure) {
      const failure = make("p", `failed: ${step.failure}`);
      failure.className = "failure";
      place.append(failure);
    }
    const facts = make("table");
    const fact = (name, value) => {
      if (value !== null && value !== undefined && value !== "") {
        facts.append(make("tr", "", make("th", name), make("td", String(value))));
      }
    };
    fact("node", step.nodes.join(", "));
    fact("event", step.event);
    fact("specification", step.spec);
    fact("time", step.at_us === null ? null : `${step.at_us} µs`);
    const concurrent = run.data.count - 1 - before.size - after.size;
    fact("before it", before.has(0) ? before.size - 1 : before.size);
    fact("after it", after.size);
    if (run.data.count === run.data.steps.length) {
      fact("concurrent", concurrent + (before.has(0) ? 1 : 0));
    }
    place.append(facts);
    const toggle = make("button", state.full ? "Show what changed" : "Show the whole state");
    toggle.type = "button";
    toggle.id = "full";
    toggle.setAttribute("aria-keyshortcuts", "d");
    toggle.addEventListener("click", toggleFull);
    place.append(make("h3", state.full ? "Configuration after it" : "Changed"));
    place.append(state.full ? whole(run, number) : bullets(step.changed, "nothing"));
    place.append(toggle);
    if (step.effects.length) place.append(make("h3", "Effects"), bullets(step.effects));
    place.append(make("h3", `Clocks: Lamport ${step.lamport}, vector`), clocks(run, step.clock));
    place.append(make("h3", "Directly follows from"), links(step.causes, "the start"));
    place.append(make("h3", "Directly leads to"), links(run.followed.get(number) || [], "nothing"));
  };

  const bullets = (texts, nothing) => {
    if (!texts.length) return make("p", nothing);
    return make("ul", "", ...texts.map((text) => make("li", text)));
  };

  const clocks = (run, clock) => {
    const table = make("table");
    for (const node of run.data.lanes.filter((name) => name in clock)) {
      table.append(make("tr", "", make("th", node), make("td", String(clock[node]))));
    }
    return table;
  };

  const links = (steps, nothing) => {
    const known = steps.filter((step) => step > 0);
    if (!known.length) return make("p", nothing);
    const list = make("div");
    list.className = "links";
    for (const step of known) {
      const button = make("button", `step ${step}`);
      button.type = "button";
      button.addEventListener("click", () => select(step));
      list.append(button);
    }
    return list;
  };

  const whole = (run, number) => {
    const list = make("div");
    const now = configuration(run, number);
    for (const [name, node] of Object.entries(now.nodes)) {
      list.append(make("h3", `${name} (${node.status})`));
      list.append(make("pre", JSON.stringify(node.state, null, 1)));
      const rest = { timers: node.timers, disk: node.disk, unsynced: node.unsynced };
      const filled = Object.entries(rest).filter(([, value]) => Object.keys(value).length);
      if (filled.length) {
        list.append(make("pre", JSON.stringify(Object.fromEntries(filled), null, 1)));
      }
    }
    const sent = now.network.map(
      (sent) => `${sent.from} → ${sent.to}: ${JSON.stringify(sent.message)}`);
    list.append(make("h3", `In flight: ${sent.length}`), bullets(sent, "nothing"));
    const cut = (now.cut || []).map((link) => `${link.from} → ${link.to}`);
    if (cut.length) list.append(make("h3", "Cut links"), bullets(cut));
    return list;
  };

  const toggleFull = () => {
    state.full = !state.full;
    select(state.step, { focus: false });
  };

  const move = (by) => {
    const run = current();
    const steps = run.data.steps;
    if (!steps.length) return;
    const at = state.step === null ? (by > 0 ? -1 : steps.length) : run.index.get(state.step);
    select(steps[Math.min(Math.max(at + by, 0), steps.length - 1)].step);
  };

  // The next step that one of the selected step's nodes takes.
  const along = (by) => {
    const run = current();
    if (state.step === null) return move(by);
    const nodes = run.data.steps[run.index.get(state.step)].nodes;
    let at = run.index.get(state.step) + by;
    while (run.data.steps[at]) {
      if (run.data.steps[at].nodes.some((node) => nodes.includes(node))) {
        return select(run.data.steps[at].step);
      }
      at += by;
    }
  };

  const show = (index) => {
    state.run = index;
    state.hidden.clear();
    runs.forEach((run, at) => { run.section.hidden = at !== index; });
    for (const button of $$(".runs button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.run) === index));
    }
    listLanes(current());
    filter(state.filter);
  };

  const listLanes = (run) => {
    const place = $("#lanes");
    place.replaceChildren(make("legend", "Lanes"));
    run.data.lanes.forEach((name, lane) => {
      const box = make("input");
      box.type = "checkbox";
      box.checked = !state.hidden.has(lane);
      box.addEventListener("change", () => hide(lane, !box.checked));
      place.append(make("label", "", box, name));
    });
    place.hidden = run.data.lanes.length > 24;
  };

  const hide = (lane, isHidden) => {
    if (isHidden) state.hidden.add(lane);
    else state.hidden.delete(lane);
    const run = current();
    const off = (text) => text !== undefined && state.hidden.has(Number(text));
    for (const element of $$(".canvas:first-of-type [data-lane]", run.section)) {
      element.classList.toggle("off", off(element.dataset.lane) || off(element.dataset.to));
    }
    for (const [step, row] of run.rows) {
      const lanes = row.dataset.lanes ? row.dataset.lanes.split(" ") : [];
      mark(run, step, "aside", lanes.length > 0 && lanes.every(off));
    }
    listLanes(run);
  };

  const filter = (text) => {
    state.filter = text;
    const run = current();
    const wanted = text.trim().toLowerCase();
    let count = 0;
    for (const step of run.rows.keys()) {
      const matches = run.texts.get(step).includes(wanted);
      mark(run, step, "unmatched", !matches);
      if (matches) count += 1;
    }
    $("#matches").textContent = wanted ? `${count} of ${run.rows.size} steps` : "";
  };

  const nextMatch = () => {
    const run = current();
    const matching = [...run.rows].filter(([, row]) => !row.classList.contains("unmatched"));
    const steps = matching.map(([step]) => step);
    const next = steps.find((step) => step > (state.step ?? 0)) ?? steps[0];
    if (next !== undefined) select(next);
  };

  const look = (view) => {
    const part = $(".lineage-part", runs[state.run].section);
    const button = part && $(`input[value="${view}"]`, part);
    if (!button) return;
    button.checked = true;
    part.dataset.view = view;
  };

  const theme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  // The address names the run and the step, so that it can be sent to somebody.
  const remember = () => {
    const parts = [];
    if (runs.length > 1) parts.push(`run=${state.run + 1}`);
    if (state.step !== null) parts.push(`step=${state.step}`);
    const wanted = parts.length ? `#${parts.join("&")}` : location.pathname;
    if (location.hash !== wanted) history.replaceState(null, "", wanted);
  };

  const follow = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    const run = Number(asked.get("run") || state.run + 1) - 1;
    show(runs[run] ? run : 0);
    const step = asked.get("step");
    select(step !== null && /^\d+$/.test(step) ? Number(step) : null);
  };

  const keys = {
    ArrowDown: () => move(1), j: () => move(1),
    ArrowUp: () => move(-1), k: () => move(-1),
    ArrowRight: () => along(1), ArrowLeft: () => along(-1),
    Home: () => move(-Infinity), End: () => move(Infinity),
    d: toggleFull,
    h: () => {
      const row = current().rows.get(state.step);
      const lane = row && row.dataset.lanes.split(" ")[0];
      if (lane) hide(Number(lane), true);
    },
    H: () => { for (const lane of [...state.hidden]) hide(lane, false); },
    "/": () => $("#filter").focus(),
    "[": () => { if (state.run > 0) { show(state.run - 1); select(null); } },
    "]": () => { if (state.run + 1 < runs.length) { show(state.run + 1); select(null); } },
    1: () => look("good"), 2: () => look("bad"), 3: () => look("difference"),
    t: theme,
    "?": () => $("#help").showModal(),
    Escape: () => select(null),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("#help").open) return;
    if (event.target.id === "filter") {
      if (event.key === "Escape") { event.target.value = ""; filter(""); event.target.blur(); }
      if (event.key === "Enter") nextMatch();
      return;
    }
    if (event.target.type === "radio" && event.key.startsWith("Arrow")) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest(".step");
    if (row) return select(Number(row.dataset.step));
    const vertex = event.target.closest(".vertex[data-step]");
    if (vertex) return select(Number(vertex.dataset.step));
    const button = event.target.closest(".runs button");
    if (button) { show(Number(button.dataset.run)); select(null); }
  });
  document.addEventListener("change", (event) => {
    if (event.target.type === "radio") look(event.target.value);
  });
  $("#filter").addEventListener("input", (event) => filter(event.target.value));
  $("#theme").addEventListener("click", theme);
  $("#help-open").addEventListener("click", () => $("#help").showModal());
  $("#help-close").addEventListener("click", () => $("#help").close());
  addEventListener("hashchange", follow);
  follow();
  document.documentElement.dataset.ready = "true";
})();
