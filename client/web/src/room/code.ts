// A room's code as people type and paste it, as read_code in server/game/ids.py reads it.

const LENGTH = 6;
const OTHER = "АВЕКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";
const LATIN = "ABEKMHOPCTYXABEZHIKMNOPTYX";

/** The code that is meant: other keyboards, invisible characters, a whole link, a sentence
    around it, spaces, hyphens and # are understood, and what no code holds is taken for
    what looks like it. */
export function readCode(text: string): string {
  const plain = decoded(text).normalize("NFKC").replaceAll("\\", "/");
  const link = /\/(?:j|join)\/([^/?#&\s]+)|[#?&]room=([^&\s]+)/i.exec(plain);
  const part = link ? (link[1] ?? link[2]!) : lastPart(plain.trim());
  const found = letters(part);
  return found.length > LENGTH ? ofSentence(part) || found : found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function letters(text: string): string {
  return text
    .toUpperCase()
    .replace(/[٠-٩۰-۹]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .replace(/[Ͱ-ӿ]/g, (letter) => LATIN[OTHER.indexOf(letter)] ?? "")
    .replace(/[^0-9A-Z]/g, "")
    .replace(/[0O]/g, "Q")
    .replace(/[1IL]/g, "J");
}

/** The one word that is as long as a code; those in capitals come first. */
function ofSentence(text: string): string {
  const words = text.split(/[\s:,;()]+/).filter((word) => letters(word).length === LENGTH);
  const clear = words.filter((word) => word === word.toUpperCase());
  const likely = new Set((clear.length ? clear : words).map(letters));
  return likely.size === 1 ? [...likely][0]! : "";
}

function lastPart(text: string): string {
  if (!text.includes("/")) return text;
  return text.split(/[/?#]+/).filter(Boolean).at(-1) ?? "";
}

/** The code in the address of this page. */
export const codeIn = readCode;
