// Figures as the page writes them. Pure; a figure that its n cannot carry is Hidden.
import { text } from "../i18n/index.svelte";
import { percent as whole } from "../parts/percent";
import type { Estimate, Hidden } from "../protocol";

export type Figure = Estimate | Hidden;

export function isShown(figure: Figure | null | undefined): figure is Estimate {
  return figure != null && "value" in figure;
}

/** A number with a real minus sign, as this language writes it. */
export function signed(value: number, digits: number, locale: string): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const written = value.toLocaleString(locale, options).replace("-", "−");
  return /^−[0.,]*$/.test(written) ? written.slice(1) : written;
}

export function percent(share: number | null | undefined): string {
  return share == null ? "–" : text.t.percent(whole(share));
}

/** A probability: never rounded up to certainty. */
export function chance(p: number | null): string {
  if (p === null) return "–";
  return p > 0.99 ? `> ${percent(0.99)}` : p < 0.01 ? `< ${percent(0.01)}` : percent(p);
}

/** Kinds of figures: a share, a difference of shares in points, or a plain number. */
export type Kind = "share" | "points" | "number";

export function written(value: number, kind: Kind, digits: number, locale: string): string {
  if (kind === "share") return percent(value);
  if (kind === "number") return signed(value, digits, locale);
  return signed(Math.sign(value) * whole(Math.abs(value)), 0, locale);
}

/** The bounds of an interval; a share's without the sign, which its value has. */
export function bounds(
  figure: Estimate,
  kind: Kind,
  digits: number,
  locale: string,
): [string, string] {
  if (kind === "share") {
    return [String(whole(figure.low)), String(whole(figure.high))];
  }
  const write = (value: number) => written(value, kind, digits, locale);
  return [write(figure.low), write(figure.high)];
}
