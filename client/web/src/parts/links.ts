// Where a source is, as text with links: web addresses, arXiv numbers, DOIs. Pure.

export interface Piece {
  text: string;
  href: string | null;
}

const PLACES = /https?:\/\/[^\s,;]+[^\s,;.)]|arXiv:\d{4}\.\d{4,5}|doi:10\.[^\s,;]+[^\s,;.)]/gi;

/** The pieces of a text, links and what is between them, in order. */
export function linked(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(PLACES)) {
    if (found.index > at) pieces.push({ text: text.slice(at, found.index), href: null });
    pieces.push({ text: found[0], href: hrefOf(found[0]) });
    at = found.index + found[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), href: null });
  return pieces;
}

function hrefOf(place: string): string {
  if (/^arxiv:/i.test(place)) return `https://arxiv.org/abs/${place.slice(6)}`;
  return /^doi:/i.test(place) ? `https://doi.org/${place.slice(4)}` : place;
}
