// What the charts of the sites draw: pure, tested without a page. Shares in percent.
import { percent as hundred } from "../parts/percent";
import type { Cohort, GroupMean, Portion } from "../protocol";

export interface Dot {
  value: number;
  low: number;
  high: number;
}

export interface Row {
  name: string;
  n: number;
  hidden: "few" | "cover" | null;
  /** First vote, and the second vote if there was one; empty if nothing is shown. */
  dots: Dot[];
}

export function dotOf(part: Portion, n: number): Dot {
  return { value: hundred(part.n / n), low: hundred(part.low), high: hundred(part.high) };
}

/** Each site's share of one option, before and after. */
export function rowsOf(cohorts: readonly Cohort[], option: string): Row[] {
  return cohorts.map(({ name, n, hidden, before, after }) => ({
    name,
    n,
    hidden,
    dots: [before, after].flatMap((part) => {
      const found = part?.options[option];
      return part && found && part.n ? [dotOf(found, part.n)] : [];
    }),
  }));
}

/** The options that are compared: of two gaps one says it all. */
export function comparedOptions(cohorts: readonly Cohort[]): string[] {
  const shown = cohorts.find((cohort) => cohort.before)?.before;
  const options = Object.keys(shown?.options ?? {});
  return options.length === 2 ? options.slice(0, 1) : options;
}

/** The ends of the axis on which means are drawn: whole tens around all of them. */
export function span(means: readonly GroupMean[]): [number, number] {
  const ends = means.flatMap(({ mean, low, high }) =>
    [mean, low, high].filter((end) => end !== null),
  );
  if (!ends.length) return [0, 1];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const step = most - least > 10 ? 10 : 1;
  const low = Math.floor(least / step) * step;
  return [low, Math.max(low + step, Math.ceil(most / step) * step)];
}

/** How many lines of sites a wall has room for. */
export const WALL_LINES = 6;

/** The sites that a wall names, in their order: all of them if there are few, else the page's
    own and the largest, with a line left to say how many more there are. */
export function onWall<Site extends { name: string; n: number }>(
  sites: readonly Site[],
  here: string | null,
): { shown: readonly Site[]; more: number } {
  if (sites.length <= WALL_LINES) return { shown: sites, more: 0 };
  const rank = (site: Site) => (site.name === here ? Infinity : site.n);
  const kept = [...sites].sort((a, b) => rank(b) - rank(a)).slice(0, WALL_LINES - 1);
  return { shown: sites.filter((site) => kept.includes(site)), more: sites.length - kept.length };
}

/** A long name without its middle: names of one place often differ at their ends alone. */
export function shortened(name: string, most = 16): string {
  if (name.length <= most) return name;
  const half = (most - 1) / 2;
  return `${name.slice(0, Math.ceil(half))}…${name.slice(-Math.floor(half))}`;
}
