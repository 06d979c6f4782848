// A room's code as people type and paste it, as read_code in server/game/ids.py reads it.

/** The code that is meant: full-width and invisible characters, a whole link, spaces,
    hyphens and # are understood, and what no code holds is taken for what looks like it. */
export function readCode(text: string): string {
  const plain = text.normalize("NFKC");
  const link = /\/(?:j|join)\/([^/?#\s]+)|[#?&]room=([^&\s]+)/i.exec(plain);
  const part = link ? (link[1] ?? link[2]!) : lastPart(plain.trim());
  return part
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replace(/[0O]/g, "Q")
    .replace(/[1IL]/g, "J");
}

function lastPart(text: string): string {
  if (!text.includes("/")) return text;
  return text.split(/[/?#]+/).filter(Boolean).at(-1) ?? "";
}

/** The code in the address of this page. */
export function codeIn(pathname: string): string {
  try {
    return readCode(decodeURIComponent(pathname));
  } catch {
    return readCode(pathname);
  }
}
