// Runs in a page under test. The socket is replaced: the test says what the server would
// have said, and measures what the page makes of it.
window.WebSocket = class {
  constructor() {
    window.wire = this;
    this.readyState = 1;
    setTimeout(() => this.onopen?.());
  }
  send(text) {
    const message = JSON.parse(text);
    if (message.type !== "hello") return;
    this.say({
      type: "welcome",
      role: message.role,
      room: message.room,
      player: null,
      name: "Ada",
      token: message.role === "player" ? "0".repeat(32) : null,
      server: "measured",
      now_ms: Date.now(),
      site: window.site,
    });
    window.isWelcome = true;
  }
  close() {}
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
};

window.breath = () =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done();
    port2.postMessage(0);
  });

const PATIENCE_MS = 30_000;

/** Wait until the page has drawn what it was given, with every part that it fetches for it.

    A part that has come may fetch others: it is drawn, and has asked for them, before the
    next breath. So has `fit` found the size of the text. */
window.complete = async () => {
  const untilMs = performance.now() + PATIENCE_MS;
  for (let i = 0; i < 2; i += 1) await breath();
  while (document.documentElement.hasAttribute("data-fetching")) {
    if (performance.now() > untilMs) throw new Error("a part of the page does not come");
    await breath();
  }
};

let latest = 0;

/** Show the frames of one moment, and let the page draw all of them. */
window.show = async (frames, version = latest + 1) => {
  latest = version;
  let laterMs; // what was recorded happens now, with 75 s to go for most people
  for (const frame of frames) {
    if ("version" in frame) frame.version = version;
    const view = frame.view?.stage ?? frame.view;
    for (const clock of [view?.clock, frame.you?.clock])
      if (clock) {
        laterMs ??= Date.now() + 75_000 - clock.deadline_ms;
        clock.deadline_ms += laterMs;
      }
    window.wire.say(frame);
  }
  await complete();
};

// The one range of a page: every change of the document is told to all that there are.
const range = new Range();

/** What is wrong with how a page looks now, a line each.

    `small` is the least size of text in pixels, `aside` that of what stands aside. */
window.findings = ({ small, aside, isWall, root }) => {
  const found = [];
  const at = root ? document.querySelector(root) : document.body;
  const [width, height] = [innerWidth, innerHeight];
  const short = (text) => text.trim().replace(/\s+/g, " ").slice(0, 48);
  const boxes = [];
  const walker = document.createTreeWalker(at, NodeFilter.SHOW_TEXT);
  const styles = new Map();
  const styleOf = (element) => {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  };
  const clips = (element) => styleOf(element).overflowX !== "visible" && element.tagName !== "svg";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim()) continue;
    const parent = node.parentElement;
    if (!parent || parent.closest(".visually-hidden, script, style, title, option")) continue;
    if (!parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    let ellipsis = parent;
    while (ellipsis && styleOf(ellipsis).textOverflow !== "ellipsis") ellipsis = ellipsis.parentElement;
    range.selectNodeContents(node);
    const rects = [...range.getClientRects()]
      .map((r) => (ellipsis ? within(r, ellipsis.getBoundingClientRect()) : r))
      .filter((r) => r.width > 1 && r.height > 1);
    if (!rects.length) continue;
    const matrix = parent instanceof SVGElement && parent.getScreenCTM?.();
    const size = parseFloat(styleOf(parent).fontSize) * (matrix ? matrix.a : 1);
    const least = parent.closest("[data-aside]") ? aside : small;
    if (least && size < least - 0.05)
      found.push(`small: ${size.toFixed(1)} < ${least.toFixed(1)} px: ${short(node.data)}`);
    if (isWall && rects.length > 1 && !parent.closest("[translate=no]"))
      for (const { 0: word, index } of node.data.matchAll(/[^\s\u00a0\u00ad\u2010-\u2014/-]+/g)) {
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const tops = [...range.getClientRects()].map((r) => Math.round(r.top));
        if (new Set(tops).size > 1) found.push(`a broken word: ${short(word)}`);
      }
    let block = parent;
    while (!(block instanceof SVGElement) && styleOf(block).display.startsWith("inline"))
      block = block.parentElement;
    let scroller = parent;
    while (scroller && scroller !== document.documentElement && !clips(scroller))
      scroller = scroller.parentElement;
    const edge = scroller?.getBoundingClientRect();
    for (const rect of rects) {
      const isOut =
        rect.left < -1 || rect.right > width + 1 || (isWall && (rect.top < -1 || rect.bottom > height + 1));
      const isCut =
        isWall &&
        edge &&
        scroller !== document.documentElement &&
        (rect.top < edge.top - 2 || rect.bottom > edge.bottom + 2 || rect.right > edge.right + 2);
      if (isOut || isCut) {
        found.push(`${isOut ? "out of the page" : "cut"}: ${short(node.data)}`);
        break;
      }
    }
    // What letters fill of a line's box: accents and descenders may touch.
    for (const r of rects)
      boxes.push({
        block,
        node,
        left: r.left + 1,
        right: r.right - 1,
        top: r.top + 0.2 * r.height,
        bottom: r.bottom - 0.22 * r.height,
      });
  }
  for (const image of at.querySelectorAll("img")) {
    if (!image.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const r = image.getBoundingClientRect();
    boxes.push({ block: image, node: { data: `image ${image.alt}` }, ...r.toJSON() });
  }
  boxes.sort((a, b) => a.top - b.top);
  const told = new Set();
  for (let i = 0; i < boxes.length; i += 1) {
    const a = boxes[i];
    for (let j = i + 1; j < boxes.length && boxes[j].top < a.bottom; j += 1) {
      const b = boxes[j];
      if (a.block === b.block || a.left >= b.right || b.left >= a.right) continue;
      if (isOver(a, b) || told.has(a.node)) continue;
      told.add(a.node);
      found.push(`overlap: “${short(a.node.data)}” and “${short(b.node.data)}”`);
    }
  }
  const page = document.scrollingElement;
  if (page.scrollWidth > width + 1) found.push(`the page is ${page.scrollWidth} px wide`);
  if (isWall && page.scrollHeight > height + 1) found.push(`the page is ${page.scrollHeight} px high`);
  if (isWall)
    for (const body of at.querySelectorAll(".body"))
      if (body.scrollHeight > body.clientHeight + 1)
        found.push(`the stage scrolls: ${body.scrollHeight} in ${body.clientHeight} px`);
  return found;
};

/** What is open but sticks out of the window. */
window.inWindow = (selector) =>
  [...document.querySelectorAll(selector)]
    .filter((element) => element !== document.body)
    .map((element) => element.getBoundingClientRect())
    .filter((r) => r.left < -1 || r.top < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1)
    .map((r) => `out of the window: ${[r.left, r.top, r.right, r.bottom].map(Math.round)}`);

/** What of a text is seen if the rest of it is cut with an ellipsis. */
const within = (r, edge) =>
  new DOMRect(
    Math.max(r.left, edge.left),
    r.top,
    Math.min(r.right, edge.right) - Math.max(r.left, edge.left),
    r.height,
  );

/** Whether one of two texts lies in a layer of its own over the other. */
function isOver(a, b) {
  const layer = (box) => {
    for (let e = box.block; e; e = e.parentElement) {
      const position = getComputedStyle(e).position;
      if (position === "sticky" || position === "fixed" || e.matches("dialog, .menu")) return e;
    }
    return null;
  };
  return layer(a) !== layer(b);
}

/** Which of the given elements cannot be seen and pressed where the page stands now. */
window.unseen = (selector) =>
  [...document.querySelectorAll(selector)]
    .filter((element) => {
      const r = element.getBoundingClientRect();
      const isIn = r.top >= -1 && r.left >= -1 && r.bottom <= innerHeight + 1 && r.right <= innerWidth + 1;
      const top = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
      return !isIn || !(element.contains(top) || top?.contains(element));
    })
    .map((element) => element.textContent.trim().replace(/\s+/g, " ").slice(0, 40));

/** Where elements are, to the pixel. */
window.places = (selector) =>
  [...document.querySelectorAll(selector)].map((element) => {
    const { x, y } = element.getBoundingClientRect();
    return [Math.round(x), Math.round(y)];
  });

/** What is wrong with the answers of an open ballot: they must be in view, all of them,
    and stay where they are when one is pressed.

    Then something else is shown, as in class: what was pressed is forgotten. */
window.moved = async (next) => {
  const found = unseen("button.gap");
  const before = places("button.gap");
  if (!before.length) found.push("no answers");
  if (document.querySelector("button.gap[aria-pressed=true]")) found.push("answered already");
  document.querySelector("button.gap")?.click();
  for (let i = 0; i < 2; i += 1) await breath();
  if (String(places("button.gap")) !== String(before)) found.push("the answers move");
  sessionStorage.clear();
  await window.show(JSON.parse(next));
  return found;
};

/** Pictures that are left out, because the story has no room for them. */
window.undrawn = () =>
  [...document.querySelectorAll("article .drawing")]
    .filter((drawing) => !drawing.checkVisibility())
    .map((drawing) => drawing.querySelector("img").alt);

/** Show many moments one after another, and ask a function about each.

    Returns what is wrong, by the moment's name. */
window.sweep = async (moments, by, more) => {
  const wrong = {};
  // Without an onlooker: what is laid out need not be painted.
  if (by === "findings") document.documentElement.style.clipPath = "inset(100%)";
  for (const [name, told] of moments) {
    await window.show(JSON.parse(told));
    for (const delayed of document.getAnimations()) delayed.finish(); // motion is reduced
    const found = await window[by](...more);
    if (found.length) wrong[name] = found;
  }
  document.documentElement.style.clipPath = "";
  return wrong;
};
