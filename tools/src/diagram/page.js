
"use strict";
(() => {
  // What the log says goes into the page as text content only, never as markup.
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = id => document.getElementById(id);
  const view = $("view"), sheet = $("sheet"), rows = $("rows"), heads = $("heads");
  const drawing = $("drawing"), map = $("map"), details = $("details"), search = $("search");
  const ROW = 22, MARGIN_ROWS = 8, TEXT = 420, COLOURS = 8;
  const CONCURRENT = 0, PAST = 1, FUTURE = 2, SELF = 3;
  const KINDS = ["concurrent", "past", "future", "hot"];
  const SIGNS = ["\u2225", "\u2191", "\u2193", "\u25cf"];
  let run, chosen = -1, pointed = -1, found = [], isFound = new Uint8Array(0), kinds = null, frame = 0;

  /* The model: rows are events, every cause is in a row above. */

  const edgesOf = (messages, from, to, count) => {
    const start = new Uint32Array(count + 1), ends = new Uint32Array(messages.length / 2);
    for (let i = from; i < messages.length; i += 2) start[messages[i] + 1]++;
    for (let i = 0; i < count; i++) start[i + 1] += start[i];
    const next = start.slice();
    for (let i = 0; i < messages.length; i += 2) ends[next[messages[i + from]]++] = messages[i + to];
    return row => ends.subarray(start[row], start[row + 1]);
  };

  /* How many letters all wall times begin with, up to the end of the date: they need not be told in every row. */
  const same = walls => {
    let length = walls.length ? walls[0].length : 0;
    for (const wall of walls) while (!wall.startsWith(walls[0].slice(0, length))) length--;
    return walls.length ? Math.max(walls[0].lastIndexOf("T", length - 1), walls[0].lastIndexOf(" ", length - 1)) + 1 : 0;
  };

  const prepare = source => {
    const count = source.lanes.length, last = new Int32Array(source.hosts.length).fill(-1);
    const before = new Int32Array(count).fill(-1), after = new Int32Array(count).fill(-1);
    const counters = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      const lane = source.lanes[row], own = last[lane];
      before[row] = own;
      counters[row] = own < 0 ? 1 : counters[own] + 1;
      if (own >= 0) after[own] = row;
      last[lane] = row;
    }
    return {...source, count, sameWall: same(source.walls || []), before, after, counters,
      causes: edgesOf(source.messages, 1, 0, count), effects: edgesOf(source.messages, 0, 1, count),
      isBackwards: new Set(source.backwards)};
  };

  /* Rows are in a causal order, so that one pass up finds the past of an event and one down its future. */
  const relate = row => {
    const kinds = new Uint8Array(run.count);
    kinds[row] = SELF;
    for (let i = row; i >= 0; i--) {
      if (kinds[i] === CONCURRENT) continue;
      if (run.before[i] >= 0) kinds[run.before[i]] = PAST;
      for (const cause of run.causes(i)) kinds[cause] = PAST;
    }
    for (let i = row; i < run.count; i++) {
      if (kinds[i] !== SELF && kinds[i] !== FUTURE) continue;
      if (run.after[i] >= 0) kinds[run.after[i]] = FUTURE;
      for (const effect of run.effects(i)) kinds[effect] = FUTURE;
    }
    return kinds;
  };

  const hot = () => pointed >= 0 ? pointed : chosen;
  const name = row => run.hosts[run.lanes[row]] + ":" + run.counters[row];

  /* The places of things. */

  const place = {wall: 0, lane: 0, lanes: 0, isUpright: false, head: 30};
  const measure = () => {
    map.hidden = run.count * ROW < view.clientHeight * 1.5;
    const lanes = run.hosts.length, room = Math.max(120, view.clientWidth - TEXT - 16);
    place.wall = run.walls ? Math.min(210, 24 + 7.4 * run.walls.reduce((most, wall) => Math.max(most, wall.length - run.sameWall), 0)) : 0;
    place.lane = Math.max(16, Math.min(140, Math.floor((room - place.wall) / Math.max(1, lanes))));
    place.lanes = place.lane * lanes + 16;
    place.isUpright = place.lane < 64;
    const longest = run.hosts.reduce((most, host) => Math.max(most, host.length), 0);
    place.head = place.isUpright ? Math.min(150, 22 + 9 * longest) : 30;
    const width = place.wall + place.lanes + TEXT, isWide = width > view.clientWidth + 1;
    sheet.style.width = isWide ? width + "px" : "100%";
    sheet.style.height = run.count * ROW + 8 + "px";
    sheet.classList.toggle("wide", isWide);
    heads.style.width = sheet.style.width;
    heads.style.height = place.head + "px";
    heads.className = place.isUpright ? "upright" : "";
    heads.replaceChildren(...run.hosts.map((host, lane) => {
      const head = document.createElement("span");
      head.textContent = head.title = host;
      head.style.color = `var(--c${lane % COLOURS})`;
      const width = place.isUpright ? Math.min(place.lane, 16) : place.lane - 8;
      head.style.left = x(lane) - width / 2 + "px";
      head.style.width = width + "px";
      if (place.isUpright) head.style.maxHeight = place.head - 8 + "px";
      return head;
    }));
  };
  const x = lane => place.wall + 8 + lane * place.lane + place.lane / 2;
  const y = row => row * ROW + ROW / 2;

  /* What is in view is drawn anew in each frame in which something changed. */

  const part = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return element;
  };

  const arrow = (send, receive, line, head) => {
    const [x1, y1, x2, y2] = [x(run.lanes[send]), y(send), x(run.lanes[receive]), y(receive)];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1, dx = (x2 - x1) / length, dy = (y2 - y1) / length;
    const [tx, ty] = [x2 - 6 * dx, y2 - 6 * dy], [bx, by] = [tx - 8 * dx, ty - 8 * dy], f = n => n.toFixed(1);
    line.push(`M${f(x1)} ${f(y1)}L${f(bx)} ${f(by)}`);
    head.push(`M${f(tx)} ${f(ty)}L${f(bx - 3.5 * dy)} ${f(by + 3.5 * dx)}L${f(bx + 3.5 * dy)} ${f(by - 3.5 * dx)}z`);
  };

  const drawLines = (first, end) => {
    const plain = [[], []], back = [[], []], cone = [[], []], {messages} = run;
    for (let i = 0; i < messages.length; i += 2) {
      const send = messages[i], receive = messages[i + 1];
      if (receive < first || send >= end) continue;
      const a = kinds && kinds[send], b = kinds && kinds[receive];
      const isOfCone = kinds && a !== CONCURRENT && b !== CONCURRENT && (a === b || a === SELF || b === SELF);
      const [line, head] = isOfCone && !run.isBackwards.has(i / 2) ? cone : run.isBackwards.has(i / 2) ? back : plain;
      arrow(send, receive, line, head);
    }
    const shapes = [];
    for (const [[line, head], lineClass, headClass] of
      [[plain, "message", "head"], [back, "message back", "backhead"], [cone, "cone", "conehead"]]) {
      if (!line.length) continue;
      shapes.push(part("path", {class: lineClass, d: line.join("")}), part("path", {class: headClass, d: head.join("")}));
    }
    return shapes;
  };

  const drawRow = row => {
    const element = document.createElement("div"), kind = kinds && kinds[row];
    const cell = (className, text, parent = element) => {
      const cell = document.createElement("span");
      cell.className = className;
      cell.textContent = text;
      parent.append(cell);
      return cell;
    };
    element.id = "row" + row;
    element.className = "row" + (kinds ? " " + KINDS[kind] : "") + (isFound[row] ? " found" : "") +
      (isFound[row] && row === chosen ? " at" : "");
    element.style.top = row * ROW + "px";
    element.setAttribute("role", "option");
    element.setAttribute("aria-setsize", run.count);
    element.setAttribute("aria-posinset", row + 1);
    element.setAttribute("aria-selected", row === chosen);
    element.setAttribute("aria-label", label(row));
    if (run.walls) cell("wall", run.walls[row].slice(run.sameWall)).style.width = place.wall + "px";
    cell("gap", "").style.width = place.lanes + "px";
    const text = cell("text", "");
    if (sheet.classList.contains("wide")) text.style.width = Math.min(TEXT, view.clientWidth * 0.6) + "px";
    cell("sign", kinds ? SIGNS[kind] : "", text);
    cell("count", run.counters[row], text);
    cell("event", run.texts[row], text);
    return element;
  };

  const label = row => {
    const wall = run.walls && run.walls[row] ? `, ${run.walls[row]}` : "";
    const kind = kinds && row !== hot() ? `, ${["concurrent with", "before", "after"][kinds[row]]} ${name(hot())}` : "";
    return `${run.hosts[run.lanes[row]]}, event ${run.counters[row]}${wall}: ${run.texts[row]}${kind}`;
  };

  const draw = () => {
    frame = 0;
    kinds = hot() >= 0 ? relate(hot()) : null;
    const top = Math.max(0, view.scrollTop - place.head);
    const first = Math.max(0, Math.floor(top / ROW) - MARGIN_ROWS);
    const end = Math.min(run.count, Math.ceil((top + view.clientHeight) / ROW) + MARGIN_ROWS);
    const list = [];
    for (let row = first; row < end; row++) list.push(drawRow(row));
    // What is chosen stays in the page while it is out of view: a screen reader is on it.
    if (chosen >= 0 && (chosen < first || chosen >= end)) list.push(drawRow(chosen));
    rows.replaceChildren(...list);
    const height = (end - first) * ROW, width = place.wall + place.lanes;
    for (const [key, value] of Object.entries(
      {width, height, viewBox: `0 ${first * ROW} ${width} ${height}`})) drawing.setAttribute(key, value);
    drawing.style.top = first * ROW + "px";
    drawing.setAttribute("class", kinds ? "asked" : "");
    const lanes = run.hosts.map((_, lane) => `M${x(lane)} ${first * ROW}V${end * ROW}`).join("");
    const shapes = [part("path", {class: "lane", d: lanes}), ...drawLines(first, end)];
    for (let row = first; row < end; row++) {
      const lane = run.lanes[row], radius = Math.min(6, Math.max(3.5, place.lane / 3));
      shapes.push(part("circle", {cx: x(lane), cy: y(row), r: row === hot() ? radius + 1.5 : radius,
        fill: `var(--c${lane % COLOURS})`, class: kinds ? KINDS[kinds[row]] : ""}));
    }
    drawing.replaceChildren(...shapes);
    if (chosen >= 0) view.setAttribute("aria-activedescendant", "row" + chosen);
    else view.removeAttribute("aria-activedescendant");
    drawMap();
  };
  const redraw = () => { frame = frame || requestAnimationFrame(draw); };

  const drawMap = () => {
    if (map.hidden) return;
    const scale = window.devicePixelRatio || 1, width = map.clientWidth, height = map.clientHeight;
    map.width = width * scale;
    map.height = height * scale;
    const pen = map.getContext("2d"), style = getComputedStyle(document.documentElement);
    const colour = key => style.getPropertyValue("--" + key).trim();
    const lanes = Array.from({length: COLOURS}, (_, lane) => colour("c" + lane));
    const ofKind = [colour("ring"), colour("past"), colour("future"), colour("fg")];
    pen.scale(scale, scale);
    const step = height / run.count, dot = Math.max(1, Math.min(3, step)), wide = (width - 8) / run.hosts.length;
    if (found.length) {
      pen.fillStyle = colour("found");
      for (const row of found) pen.fillRect(0, row * step, width, Math.max(1, Math.min(2, step)));
    }
    for (let row = 0; row < run.count; row++) {
      pen.fillStyle = kinds ? ofKind[kinds[row]] : lanes[run.lanes[row] % COLOURS];
      pen.fillRect(4 + run.lanes[row] * wide, row * step, Math.max(1.5, Math.min(8, wide - 1)), dot);
    }
    const shown = (view.clientHeight - place.head) / ROW * step, at = view.scrollTop / ROW * step;
    pen.strokeStyle = colour("accent");
    pen.lineWidth = 1.5;
    pen.strokeRect(1, at, width - 2, Math.max(6, shown));
  };

  /* The chosen event. */

  const reveal = row => {
    const top = row * ROW, bottom = top + ROW + place.head;
    if (top < view.scrollTop) view.scrollTop = Math.max(0, top - 3 * ROW);
    else if (bottom > view.scrollTop + view.clientHeight) view.scrollTop = bottom + 3 * ROW - view.clientHeight;
    // The texts stand before what is behind them.
    const middle = x(run.lanes[row]), left = middle - view.scrollLeft, room = Math.max(place.lane, view.clientWidth - TEXT);
    if (left < place.lane || left > room - place.lane) view.scrollLeft = middle - room / 2;
  };

  const choose = row => {
    if (row < -1 || row >= run.count) return;
    chosen = row;
    pointed = -1;
    if (row >= 0) reveal(row);
    explain();
    redraw();
    // So that the page can be sent on with its event. Some browsers do not let a file change its address.
    try { history.replaceState(null, "", row < 0 ? "#" : "#" + (row + 1)); } catch { /* then it stays */ }
  };

  const explain = () => {
    details.replaceChildren();
    const line = (className, text) => {
      const line = document.createElement("p");
      line.className = className;
      line.textContent = text;
      details.append(line);
      return line;
    };
    const row = hot();
    if (row < 0) return line("soft", "Point at an event, or choose one with the keys.");
    const all = [0, 0, 0, 0];
    for (const kind of relate(row)) all[kind]++;
    line("what", `${name(row)}  ${run.texts[row]}`);
    line("soft", `line ${run.lines[row]}${run.walls && run.walls[row] ? `, wall time ${run.walls[row]}` : ""}; ` +
      `${all[PAST]} events before it, ${all[FUTURE]} after it, ${all[CONCURRENT]} concurrent`);
    for (const [what, others] of [["received from", run.causes(row)], ["sent to", run.effects(row)]]) {
      if (!others.length) continue;
      const list = line("soft", what + " ");
      for (const other of [...others].slice(0, 40)) {
        const go = document.createElement("button");
        go.textContent = name(other);
        go.addEventListener("click", () => { choose(other); view.focus(); });
        list.append(go);
      }
    }
  };

  /* Search. */

  const seek = () => {
    const wanted = search.value.toLowerCase();
    found = [];
    isFound = new Uint8Array(run.count);
    for (let row = 0; wanted && row < run.count; row++) {
      const wall = run.walls ? run.walls[row] : "";
      if (`${name(row)} ${run.texts[row]} ${wall}`.toLowerCase().includes(wanted)) {
        found.push(row);
        isFound[row] = 1;
      }
    }
    $("found").textContent = wanted ? `${found.length.toLocaleString("en")} found` : "";
    redraw();
  };
  const go = direction => {
    if (!found.length) return;
    const next = direction > 0 ? found.find(row => row > chosen) : found.findLast(row => row < chosen);
    choose(next === undefined ? found[direction > 0 ? 0 : found.length - 1] : next);
  };

  /* Hands. */

  const rowAt = event => {
    const row = Math.floor((event.clientY - sheet.getBoundingClientRect().top) / ROW);
    const isHead = event.clientY < view.getBoundingClientRect().top + place.head;
    return isHead || row < 0 || row >= run.count ? -1 : row;
  };
  const point = row => {
    if (row === pointed) return;
    pointed = row;
    explain();
    redraw();
  };
  view.addEventListener("mousemove", event => point(rowAt(event)));
  view.addEventListener("mouseleave", () => point(-1));
  view.addEventListener("click", event => { const row = rowAt(event); if (row >= 0) choose(row); });
  view.addEventListener("scroll", redraw);
  view.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(view.clientHeight / ROW) - 3), at = hot();
    const near = list => [...list].find(row => row >= 0);
    const keys = {
      ArrowDown: () => Math.min(run.count - 1, at + 1), ArrowUp: () => Math.max(0, at - 1),
      ArrowLeft: () => at < 0 ? 0 : run.before[at], ArrowRight: () => at < 0 ? 0 : run.after[at],
      PageDown: () => Math.min(run.count - 1, at + page), PageUp: () => Math.max(0, at - page),
      Home: () => 0, End: () => run.count - 1,
      c: () => at < 0 ? -1 : near(run.causes(at)), e: () => at < 0 ? -1 : near(run.effects(at)),
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "Escape") choose(-1);
    else if (key === "/") search.focus();
    else if (keys[key]) { const row = keys[key](); if (row >= 0) choose(row); }
    else return;
    event.preventDefault();
  });
  search.addEventListener("input", () => { seek(); if (found.length && !isFound[chosen]) go(1); });
  search.addEventListener("keydown", event => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") { search.value = ""; seek(); view.focus(); }
  });
  const jump = event => {
    if (event.buttons !== 1) return;
    const share = (event.clientY - map.getBoundingClientRect().top) / map.clientHeight;
    view.scrollTop = share * run.count * ROW - view.clientHeight / 2;
  };
  map.addEventListener("pointerdown", event => { map.setPointerCapture(event.pointerId); jump(event); });
  map.addEventListener("pointermove", jump);
  window.addEventListener("resize", () => { measure(); redraw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  /* The beginning. */

  const open = number => {
    run = prepare(data.executions[number]);
    chosen = pointed = -1;
    const messages = run.messages.length / 2, count = n => n.toLocaleString("en");
    const late = run.backwards.length;
    $("summary").textContent = `${count(run.count)} events of ${count(run.hosts.length)} hosts, ${count(messages)} messages` +
      (late ? `, of which ${count(late)} were received before they were sent, by wall time` : "");
    $("late").hidden = !late;
    view.scrollTop = 0;
    measure();
    seek();
    explain();
    redraw();
  };
  $("title").textContent = data.title;
  const execution = $("execution");
  data.executions.forEach((one, number) => execution.append(new Option(one.label || "(without a name)", number)));
  $("which").hidden = data.executions.length < 2;
  execution.addEventListener("change", () => open(Number(execution.value)));
  open(0);
  const follow = () => { const row = Number(location.hash.slice(1)) - 1; if (Number.isInteger(row) && row >= 0) choose(row); };
  window.addEventListener("hashchange", follow);
  follow();
  draw();
})();
