// Whole per cents, rounded in one place: the server rounds the same way.

/** A proportion (0 to 1) as whole per cents, halves up (`percent` in
    server/game/outcomes.py). The error that dividing two counts leaves is taken off
    first: 57 of 200 are 29%, not 28. */
export function percent(share: number): number {
  return Math.floor(Math.round(1e8 * share) / 1e6 + 0.5);
}

/** The same of two counts; 0 of none. */
export function percentOf(part: number, whole: number): number {
  return whole ? percent(part / whole) : 0;
}
