// Keys and proofs, as in server/protocol/keys.py. @noble/hashes, because a page on
// plain HTTP has no crypto.subtle.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hello } from "../protocol";

const KEY_BYTES = 16;

function mac(key: string, text: string): Uint8Array {
  return hmac(sha256, hexToBytes(key), utf8ToBytes(text));
}

function derive(key: string, purpose: string): string {
  return bytesToHex(mac(key, purpose).slice(0, KEY_BYTES));
}

export function hostKey(adminKey: string, room: string): string {
  return derive(adminKey, `host ${room}`);
}

/** The host key that follows one that was called back with this salt. */
export function nextHostKey(key: string, salt: string): string {
  return derive(key, `host ${salt}`);
}

export function screenKey(key: string): string {
  return derive(key, "screen");
}

export function cohostKey(key: string, site: string): string {
  return derive(key, `cohost ${site}`);
}

/** The answer to a challenge: proves that we hold the key without sending it. */
export function prove(
  key: string,
  role: Hello["role"],
  room: string | null,
  nonce: string,
): string {
  return bytesToHex(mac(key, `two-gaps 1 ${role} ${room?.toUpperCase() ?? "-"} ${nonce}`));
}
