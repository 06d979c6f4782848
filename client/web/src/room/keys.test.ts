import { expect, test } from "vitest";
import { cohostKey, hostKey, prove, screenKey } from "./keys";

// Values computed with server/protocol/keys.py.
const ADMIN = "000102030405060708090a0b0c0d0e0f";

test("keys derive as on the server", () => {
  expect(hostKey(ADMIN, "K7MQ2P")).toBe("7dd0ea5bb86a8ac05d2f5a43fd1d4a1a");
  expect(screenKey(hostKey(ADMIN, "K7MQ2P"))).toBe("5eb8c5ca0f6c2c49cd2c621bcbc6b3be");
});

test("a co-host's key is of its site", () => {
  expect(cohostKey(ADMIN, "lisbon")).toBe("2099e3de2cb7f82ccbc99d2d066a789a");
});

test("proofs are as on the server, whatever the case of the code", () => {
  expect(prove(ADMIN, "host", "k7mq2p", "abc")).toBe(
    "a8358fcdccfe89cbee71cd100494ba052953a6f8e415d2620c20035b75c9cbf9",
  );
  expect(prove(ADMIN, "admin", null, "abc")).toBe(
    "c63700cc0a356e06234001593b0a33413e1506f0869494ecfe1cac04d8c0ffc3",
  );
});
