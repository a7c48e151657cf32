// Makes the timelines of a page zoomable. Each figure carries its data as JSON; everything is drawn on a canvas or set
// as text, never as markup, for names in it are hostile. Without this script the drawing in the figure stays.
(() => {
  "use strict";

  const STALE_AFTER_S = 120;
  const ROW = 16;
  const CURVES = 120;
  const SHORTEST_S = 5;
  const HEADROOM = 1.22; // for the words above the curves
  const STATES = {
    closed: "ok", "half-open": "warn", open: "bad", warning: "warn", critical: "bad", info: "curve",
  };

  const element = (name, className, text) => {
    const made = document.createElement(name);
    made.className = className || "";
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const clock = (s) => {
    if (s < 60) return `${+s.toFixed(s < 10 ? 1 : 0)}s`;
    const pad = (number) => String(number).padStart(2, "0");
    const whole = Math.round(s);
    const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, rest = whole % 60;
    if (!h) return rest ? `${m}m ${pad(rest)}s` : `${m}m`;
    return `${h}h` + (m || rest ? ` ${pad(m)}m` : "") + (rest ? ` ${pad(rest)}s` : "");
  };
  const seconds = (s) => (s >= 1 || s === 0 ? clock(s) : s >= 0.0001 ? `${+(s * 1000).toPrecision(2)}ms` : "<0.1ms");

  const colours = (node) => {
    const style = getComputedStyle(node);
    const found = {};
    for (const name of ["ink", "dim", "line", "soft", "ok", "warn", "bad", "curve", "second", "shade", "on"]) {
      found[name] = style.getPropertyValue(`--${name}`).trim();
    }
    return found;
  };

  // Steps of the axis that are round as times.
  const FRACTIONS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800];

  // Spans that overlap stand in different rows, six at most.
  const stacked = (spans) => {
    const rows = [];
    for (const span of [...spans].sort((one, other) => one.from - other.from)) {
      let row = rows.find((there) => there[there.length - 1].to <= span.from);
      if (!row && rows.length < 6) rows.push((row = []));
      (row || rows[rows.length - 1]).push(span);
    }
    return rows;
  };

  const before = (times, at) => {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= at) low = middle + 1; else high = middle;
    }
    return low - 1;
  };

  const span = (from, to, colour, words) => ({from: from / 1000, to: to / 1000, colour, words});

  // What stands above the connections: phases, faults, actions.
  const storyStrips = (data) => {
    const strips = [];
    const phases = data.phases.map(([name, from, to]) => span(from, to, "soft", name));
    if (phases.length) strips.push({label: "phases", spans: phases, soft: true});
    const faults = data.faults.map(([kind, on, about, from, to]) => span(from, to, "shade", `${kind} on ${on} ${about}`));
    stacked(faults).forEach((row, index) => strips.push({label: index ? "" : "faults", spans: row, soft: true}));
    const actions = data.actions.map(([action, at, answer]) => span(at, at, "curve", `${action} ${answer}`));
    if (actions.length) strips.push({label: "actions", spans: actions, soft: true});
    return strips;
  };

  const laneStrips = (lane) => {
    const states = (bands) => bands.map(([state, from, to]) => span(from, to, STATES[state] || "dim", state));
    const strips = lane.errors.map(([name, total, at]) => ({label: `${name} × ${total}`, ticks: at.map((ms) => ms / 1000)}));
    strips.push({label: "breaker", spans: states(lane.breaker), quiet: "closed"});
    for (const [name, spans] of lane.alerts) strips.push({label: `! ${name}`, spans: states(spans)});
    const bars = lane.polls.map(([from, to, ok, bad]) => ({from: from / 1000, to: to / 1000, ok, bad}));
    strips.push({label: "polls", bars, rows: 2});
    return strips;
  };

  const height = (strips) => strips.reduce((sum, strip) => sum + ROW * (strip.rows || 1) + 3, 4);

  const shortened = (ctx, text, width) => {
    if (ctx.measureText(text).width <= width) return text;
    let kept = text;
    while (kept && ctx.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
    return kept ? `${kept}…` : "";
  };

  const drawStrips = (u, strips, top, palette, gutter) => {
    const {ctx, bbox} = u, ratio = uPlot.pxRatio;
    const x = (at) => u.valToPos(at, "x", true);
    const left = bbox.left, right = bbox.left + bbox.width;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    let y = top;
    for (const strip of strips) {
      const high = ROW * (strip.rows || 1) * ratio;
      ctx.fillStyle = palette.dim;
      ctx.textAlign = "right";
      ctx.fillText(shortened(ctx, strip.label, (gutter - 12) * ratio), left - 6 * ratio, y + high / 2);
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, y, bbox.width, high);
      ctx.clip();
      ctx.textAlign = "left";
      if (strip.spans) drawSpans(ctx, strip, x, y, high, left, right, palette, ratio);
      if (strip.ticks) {
        ctx.fillStyle = palette.bad;
        for (const at of strip.ticks) ctx.fillRect(x(at) - ratio, y, 2 * ratio, high);
      }
      if (strip.bars) drawBars(ctx, strip.bars, x, y, high, palette, ratio);
      ctx.restore();
      y += high + 3 * ratio;
    }
    ctx.restore();
  };

  const drawSpans = (ctx, strip, x, y, high, left, right, palette, ratio) => {
    strip.spans.forEach((one, index) => {
      const from = x(one.from), to = Math.max(x(one.to), from + 2 * ratio);
      const next = strip.spans[index + 1];
      if (to < left || from > right) return;
      const quiet = one.words === strip.quiet;
      ctx.globalAlpha = quiet ? 0.35 : one.colour === "shade" ? 0.5 : 1;
      ctx.fillStyle = palette[one.colour];
      ctx.fillRect(from, y, Math.max(to - from - ratio, ratio), high);
      ctx.globalAlpha = 1;
      if (quiet) return;
      const begin = Math.max(from, left) + 4 * ratio;
      const room = (strip.soft ? Math.min(next ? x(next.from) : right, right) : Math.min(to, right)) - begin - 4 * ratio;
      const words = shortened(ctx, one.words, room);
      if (words.length < 3 && words !== one.words) return;
      ctx.fillStyle = strip.soft ? palette.ink : palette.on;
      ctx.fillText(words, begin + (one.from === one.to ? 2 * ratio : 0), y + high / 2);
    });
  };

  const drawBars = (ctx, bars, x, y, high, palette, ratio) => {
    const most = Math.max(1, ...bars.map((bar) => bar.ok + bar.bad));
    for (const bar of bars) {
      const from = x(bar.from), width = Math.max(x(bar.to) - from - ratio, ratio);
      const good = high * bar.ok / most, bad = high * bar.bad / most;
      ctx.globalAlpha = 0.6;
      ctx.fillStyle = palette.ok;
      ctx.fillRect(from, y + high - good, width, good);
      ctx.globalAlpha = 1;
      ctx.fillStyle = palette.bad;
      ctx.fillRect(from, y + high - good - bad, width, bad);
    }
  };

  const merged = (faults) => {
    const spans = [];
    for (const [, , , from, to] of [...faults].sort((one, other) => one[3] - other[3])) {
      const last = spans[spans.length - 1];
      if (last && from <= last[1]) last[1] = Math.max(last[1], to);
      else spans.push([from, to]);
    }
    return spans;
  };

  const summary = ({lanes, faults, end_ms}) =>
    `Zoomable timeline of ${lanes.length} connections and ${faults.length} faults over ${clock(end_ms / 1000)}`;

  // One figure: what it shows of time, and all its charts, which move together.
  class Story {
    constructor(figure, data, key) {
      Object.assign(this, {figure, data, key, charts: [], end: data.end_ms / 1000});
      this.from = 0;
      this.to = this.end;
      this.tools();
      this.place = element("div", "charts");
      this.place.tabIndex = 0;
      this.place.setAttribute("role", "group");
      this.place.setAttribute("aria-label", `${summary(data)}: plus and minus zoom, arrows move, 0 shows the whole run`);
      this.place.addEventListener("keydown", (event) => this.pressed(event));
      figure.append(this.place);
      figure.classList.add("live");
      this.build();
      let width = this.place.clientWidth;
      new ResizeObserver(() => {
        if (this.place.clientWidth === width) return;
        width = this.place.clientWidth;
        requestAnimationFrame(() => this.build());
      }).observe(this.place);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
    }

    tools() {
      const bar = element("div", "tools");
      const moves = [
        ["+", "Zoom in", () => this.zoom(0.5)], ["−", "Zoom out", () => this.zoom(2)],
        ["←", "Earlier", () => this.move(-0.25)], ["→", "Later", () => this.move(0.25)],
        ["0", "Whole run", () => this.show(0, this.end)],
      ];
      for (const [sign, name, act] of moves) {
        const button = element("button", "", name === "Whole run" ? name : sign);
        button.type = "button";
        button.title = name;
        button.setAttribute("aria-label", name);
        button.addEventListener("click", act);
        bar.append(button);
      }
      this.shown = element("span", "dim");
      this.shown.setAttribute("aria-live", "polite");
      bar.append(this.shown);
      this.figure.append(bar);
    }

    pressed(event) {
      const acts = {
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
        ArrowLeft: () => this.move(-0.25), ArrowRight: () => this.move(0.25), 0: () => this.show(0, this.end),
      };
      if (!acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      acts[event.key]();
    }

    zoom(factor) {
      const half = (this.to - this.from) * factor / 2, middle = (this.from + this.to) / 2;
      this.show(middle - half, middle + half);
    }

    move(share) {
      const by = (this.to - this.from) * share;
      this.show(this.from + by, this.to + by);
    }

    show(from, to) {
      const length = Math.min(Math.max(to - from, Math.min(SHORTEST_S, this.end)), this.end);
      this.from = Math.min(Math.max(from, 0), this.end - length);
      this.to = this.from + length;
      for (const chart of this.charts) chart.setScale("x", {min: this.from, max: this.to});
      this.tell();
    }

    tell() {
      const whole = this.from === 0 && this.to === this.end;
      this.shown.textContent = whole ? "drag over a chart to zoom, double click for the whole run" : `${clock(this.from)} to ${clock(this.to)}`;
    }

    build() {
      this.charts.forEach((chart) => chart.destroy());
      this.charts = [];
      this.place.replaceChildren();
      this.palette = colours(this.place);
      this.gutter = this.place.clientWidth < 600 ? 84 : 132;
      const strips = storyStrips(this.data);
      if (strips.length) this.chart(this.place, [[0, this.end], [null, null], [null, null]], strips, 0, () => "", () => true);
      for (const lane of this.data.lanes) this.lane(lane);
      const {lanes_left_out: lanes, marks_left_out: marks} = this.data;
      if (lanes) this.place.append(element("p", "dim", `${lanes} more connections are not drawn`));
      if (marks) this.place.append(element("p", "dim", `${marks} more faults and actions are not drawn`));
      this.tell();
    }

    lane(lane) {
      const head = element("p", "lane");
      head.append(element("b", "", lane.connection), " ");
      head.append(element("span", "dim", `${lane.system} → ${lane.appliance}, ${lane.requests} requests`));
      const reading = element("span", "reading");
      head.append(reading);
      this.place.append(head);
      const inSeconds = ([times, values]) => [times.map((ms) => ms / 1000), values];
      const staleness = inSeconds(lane.staleness), latency = inSeconds(lane.latency);
      const table = uPlot.join([staleness, latency]);
      const tell = (at) => { reading.textContent = at === null ? "" : this.reading(lane, staleness, latency, at); };
      const about = ([, on]) => on === lane.appliance || on === lane.system;
      this.chart(this.place, table[0].length ? table : [[0, this.end], [null, null], [null, null]], laneStrips(lane), CURVES, tell, about);
    }

    reading(lane, staleness, latency, at) {
      const value = ([times, values]) => {
        const index = before(times, at);
        return index < 0 || values[index] === null || values[index] === undefined ? "–" : seconds(values[index]);
      };
      const now = (spans) => spans.filter(([, from, to]) => from <= at * 1000 && at * 1000 < to).map(([state]) => state);
      const poll = lane.polls.find(([from, to]) => from <= at * 1000 && at * 1000 < to);
      const parts = [clock(at), `staleness ${value(staleness)}`, `latency ${value(latency)}`];
      if (poll) parts.push(`polls ${poll[2]} ok, ${poll[3]} failed`);
      parts.push(`breaker ${now(lane.breaker)[0] || "–"}`);
      for (const [name, spans] of lane.alerts) for (const state of now(spans)) parts.push(`${name} ${state}`);
      return parts.join(" · ");
    }

    chart(place, table, strips, curves, tell, about) {
      const {palette, gutter} = this, below = height(strips), total = below + curves;
      const highest = (values, least) => values.reduce((most, value) => Math.max(most, value || 0), least);
      // Curves stand above the strips: the scales reach below zero by as much as the strips need.
      const range = (most) => () => (curves ? [-most * below / curves, most] : [0, 1]);
      const upper = (u, splits) => splits.map((value) => (value < 0 || !curves ? null : value));
      const axis = {stroke: palette.dim, grid: {stroke: palette.line, width: 1}, ticks: {show: false}, font: "11px system-ui, sans-serif"};
      const values = (u, splits) => splits.map((value) => (value === null ? "" : seconds(value)));
      const side = (scale, where, size, colour) => ({
        ...axis, scale, side: where, size, stroke: colour, filter: upper, values, space: 28, incrs: [...FRACTIONS, ...STEPS],
        grid: {...axis.grid, show: scale === "s", filter: upper},
      });
      const options = {
        width: Math.max(this.place.clientWidth, 240),
        height: total + 24,
        padding: [0, 4, 0, 0],
        legend: {show: false},
        cursor: {
          y: false,
          points: {show: false},
          drag: {x: true, y: false, setScale: false},
          bind: {dblclick: () => () => { this.show(0, this.end); }},
          sync: {key: this.key, setSeries: false, filters: {pub: isMove, sub: isMove}},
        },
        scales: {
          x: {time: false, range: () => [this.from, this.to]},
          s: {range: range(highest(table[1], STALE_AFTER_S * 1.25) * HEADROOM)},
          l: {range: range(highest(table[2], 0.001) * HEADROOM)},
        },
        axes: [
          {...axis, side: 0, size: 20, gap: 2, space: 70, incrs: STEPS, values: (u, splits) => splits.map(clock)},
          side("s", 3, gutter, palette.curve),
          side("l", 1, this.place.clientWidth < 600 ? 36 : 52, palette.second),
        ],
        series: [
          {},
          {scale: "s", stroke: palette.curve, width: 1.6, spanGaps: false, points: {show: false}},
          {scale: "l", stroke: palette.second, width: 1.2, spanGaps: false, points: {show: false}},
        ],
        hooks: {
          drawClear: [(u) => this.shade(u, about)],
          draw: [(u) => this.annotate(u, strips, below, curves)],
          setSelect: [(u) => {
            const {left, width} = u.select;
            if (width < 4) return;
            const from = u.posToVal(left, "x"), to = u.posToVal(left + width, "x");
            u.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
            this.show(from, to);
          }],
          setCursor: [(u) => { tell(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null); }],
        },
      };
      this.charts.push(new uPlot(options, table, place));
    }

    // Windows of faults, those that are about the connection darker. Windows that overlap are one shade.
    shade(u, about) {
      const {ctx, bbox} = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.fillStyle = this.palette.shade;
      for (const [alpha, chosen] of [[0.05, () => true], [0.14, about]]) {
        ctx.globalAlpha = alpha;
        for (const [from, to] of merged(this.data.faults.filter(chosen))) {
          const x = u.valToPos(from / 1000, "x", true);
          ctx.fillRect(x, bbox.top, Math.max(u.valToPos(to / 1000, "x", true) - x, uPlot.pxRatio), bbox.height);
        }
      }
      ctx.restore();
    }

    annotate(u, strips, below, curves) {
      const {ctx, bbox} = u, ratio = uPlot.pxRatio;
      if (curves) {
        const y = u.valToPos(STALE_AFTER_S, "s", true);
        ctx.save();
        ctx.font = `${11 * ratio}px system-ui, sans-serif`;
        ctx.strokeStyle = this.palette.dim;
        ctx.setLineDash([3 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.fillStyle = this.palette.curve;
        ctx.fillText("staleness", bbox.left + 4 * ratio, bbox.top + 11 * ratio);
        const width = ctx.measureText("staleness  ").width;
        ctx.fillStyle = this.palette.second;
        ctx.fillText("latency of polls", bbox.left + 4 * ratio + width, bbox.top + 11 * ratio);
        ctx.fillStyle = this.palette.dim;
        ctx.textAlign = "right";
        ctx.fillText("stale after 2m", bbox.left + bbox.width - 4 * ratio, y - 4 * ratio);
        ctx.restore();
      }
      drawStrips(u, strips, bbox.top + bbox.height - below * ratio + 4 * ratio, this.palette, this.gutter);
    }
  }

  const isMove = (type) => type === "mousemove" || type === "mouseleave";

  let made = 0;
  const start = (figure) => {
    const source = figure.querySelector('script[type="application/json"]');
    if (!source || figure.classList.contains("live")) return;
    new Story(figure, JSON.parse(source.textContent), `timeline-${made++}`);
  };

  for (const figure of document.querySelectorAll("figure.timeline")) {
    const folded = figure.closest("details");
    if (!folded || folded.open) start(figure);
    else folded.addEventListener("toggle", () => { if (folded.open) start(figure); });
  }
  // Paper cannot unfold anything.
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
})();
