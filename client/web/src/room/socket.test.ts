import { beforeEach, expect, test } from "vitest";
import type { ServerMessage } from "../protocol";
import { backOffMs, Connection, type Link, type World } from "./socket";

class FakeSocket {
  sent: Record<string, unknown>[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(frame: string) {
    this.sent.push(JSON.parse(frame));
  }
  close() {
    this.isClosed = true;
  }
  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let sockets: FakeSocket[];
let urls: string[];
let timers: { ms: number; run: () => void; isOff: boolean }[];
let links: Link[];
let heard: ServerMessage[];

const world: World = {
  open: (url) => {
    urls.push(url);
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket as unknown as WebSocket;
  },
  after: (ms, run) => {
    const timer = { ms, run, isOff: false };
    timers.push(timer);
    return timer;
  },
  cancel: (timer) => {
    if (timer) (timer as { isOff: boolean }).isOff = true;
  },
  random: () => 0.5,
};

function connection(extra: object = {}, url = "ws://class.test/ws"): Connection {
  return new Connection(
    url,
    { role: "player", room: "K7MQ2P", name: "Ada", joinKey: "ab", ...extra },
    { onMessage: (m) => heard.push(m), onLink: (l) => links.push(l) },
    world,
  );
}

const last = () => sockets[sockets.length - 1]!;
const due = (ms: number) => timers.filter((t) => !t.isOff && t.ms === ms);
const WELCOME = { type: "welcome", token: "p1.mac", now_ms: 0 };

beforeEach(() => {
  sockets = [];
  urls = [];
  timers = [];
  links = [];
  heard = [];
});

test("says hello by name, and after a cut by token", () => {
  connection().start();
  last().onopen?.();
  expect(last().sent[0]).toMatchObject({ type: "hello", name: "Ada", join_key: "ab" });
  last().say(WELCOME);
  last().onclose?.();
  expect(links.at(-1)).toBe("waiting");
  due(backOffMs(0, 0.5))[0]!.run();
  last().onopen?.();
  expect(last().sent[0]).toMatchObject({ token: "p1.mac" });
  expect(last().sent[0]).not.toHaveProperty("name");
  expect(last().sent[0]).not.toHaveProperty("join_key");
});

const [HERE, B, C] = ["ws://class.test/ws", "ws://b.test/ws", "wss://c.test/ws"] as const;

/** Lose the line, or fail to get one, and try again. */
function retry(): void {
  last().onclose?.();
  timers.filter((timer) => !timer.isOff).at(-1)!.run();
}

test("continues at the next address that the server has named, and stays there", () => {
  connection().start();
  last().say({ ...WELCOME, addresses: [HERE, B, C] });
  for (let n = 0; n < 4; n++) retry();
  expect(urls).toEqual([HERE, HERE, B, C, HERE]);
  retry();
  last().onopen?.();
  expect(last().sent[0]).toMatchObject({ token: "p1.mac" });
  last().say({ ...WELCOME, addresses: [HERE, B, C] });
  retry();
  expect(urls.slice(5)).toEqual([B, B]);
});

test("a page with TLS continues at no address without it, and without names at its own", () => {
  connection({}, C).start();
  last().say({ ...WELCOME, addresses: [B, C] });
  retry();
  retry();
  expect(urls).toEqual([C, C, C]);
  connection().start();
  last().say(WELCOME);
  retry();
  retry();
  expect(urls.slice(3)).toEqual([HERE, HERE, HERE]);
});

test("answers a challenge with its proof", () => {
  const prove = (nonce: string) => `proof of ${nonce}`;
  connection({ role: "host", prove }).start();
  last().onopen?.();
  last().say({ type: "challenge", nonce: "abc" });
  expect(last().sent[1]).toEqual({ type: "prove", proof: "proof of abc" });
});

test("sends nothing before it is welcome", () => {
  const line = connection();
  line.start();
  last().onopen?.();
  expect(line.send({ type: "ping", ref: null })).toBe(false);
  last().say(WELCOME);
  expect(line.send({ type: "ping", ref: null })).toBe(true);
});

test("stays away after a bye that says so", () => {
  const line = connection();
  line.start();
  last().say({ type: "bye", code: "taken_over", detail: "", come_back: false });
  expect(line.link).toBe("closed");
  last().onclose?.();
  expect(line.link).toBe("closed");
  expect(heard.at(-1)).toMatchObject({ type: "bye" });
});

test("gives up a silent line", () => {
  connection().start();
  last().onopen?.();
  last().say(WELCOME);
  due(40_000)[0]!.run();
  expect(links.at(-1)).toBe("waiting");
});

test("a line that does not answer when the device wakes up is opened anew", () => {
  const line = connection();
  line.start();
  last().onopen?.();
  last().say(WELCOME);
  line.check();
  expect(last().sent.at(-1)).toMatchObject({ type: "ping" });
  line.check();
  expect(due(2000), "a second look gives it no more time").toHaveLength(1);
  due(2000)[0]!.run();
  expect(sockets).toHaveLength(2);
  expect(sockets[0]!.isClosed).toBe(true);
  expect(line.link).toBe("connecting");
});

test("a line that answers is kept", () => {
  const line = connection();
  line.start();
  last().onopen?.();
  last().say(WELCOME);
  line.check();
  last().say({ type: "pong", now_ms: 0 });
  expect(due(2000)).toHaveLength(0);
  expect(due(40_000)).toHaveLength(1);
});

test("a connection that was under way when the device slept is begun again once", () => {
  const line = connection();
  line.start();
  line.check();
  due(2000)[0]!.run();
  expect(sockets).toHaveLength(2);
  expect(due(12_000)).toHaveLength(1);
});

test("a page that must stay away does so when it becomes visible", () => {
  const line = connection();
  line.start();
  line.stop();
  line.check();
  expect(sockets).toHaveLength(1);
});

test("backs off with jitter, and never for long", () => {
  expect(backOffMs(0, 0)).toBe(200);
  expect(backOffMs(0, 1)).toBe(400);
  expect(backOffMs(20, 1)).toBe(12_000);
});

test("a hello refused for now is tried again, not before the server said", () => {
  connection().start();
  last().onopen?.();
  last().say({ type: "refused", code: "busy", detail: "", retry_ms: 5000 });
  expect(last().isClosed).toBe(true);
  last().onclose?.();
  expect(due(5000 + backOffMs(0, 0.5))).toHaveLength(1);
});

test("a full server is left alone for as long as it asks", () => {
  connection().start();
  last().onopen?.();
  last().say({ type: "bye", code: "full", detail: "", come_back: true, retry_ms: 5000 });
  last().onclose?.();
  expect(due(5000 + backOffMs(0, 0.5))).toHaveLength(1);
});
