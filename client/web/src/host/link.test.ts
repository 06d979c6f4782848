import { expect, test } from "vitest";
import { ownedHash, placeOf, roomHash, screenHref } from "./link";

const KEY = "000102030405060708090a0b0c0d0e0f";

test("a fragment opens the admin page or a room", () => {
  expect(placeOf("")).toEqual({ kind: "admin", key: null });
  expect(placeOf(`#admin=${KEY}`)).toEqual({ kind: "admin", key: KEY });
  expect(placeOf(roomHash("k7mq2p", KEY))).toEqual({
    kind: "room",
    room: "K7MQ2P",
    key: KEY,
  });
});

test("a mangled key opens nothing", () => {
  expect(placeOf("#admin=zz")).toEqual({ kind: "admin", key: null });
  expect(placeOf("#room=K7MQ2P&key=12")).toEqual({ kind: "admin", key: null });
});

test("links derive their keys as the server does", () => {
  const hash = ownedHash("K7MQ2P", KEY);
  expect(hash).toBe("#room=K7MQ2P&key=7dd0ea5bb86a8ac05d2f5a43fd1d4a1a");
  expect(screenHref("K7MQ2P", "7dd0ea5bb86a8ac05d2f5a43fd1d4a1a")).toBe(
    "/screen#room=K7MQ2P&key=5eb8c5ca0f6c2c49cd2c621bcbc6b3be",
  );
});
