// The picture of a case as an address for <img>, in the colors of the surface it is on.
// The server has read it by an allow-list; in an <img> it could run nothing anyway.
export interface Colors {
  ink: string;
  tone: string;
}

/** Ink and tone: the tone is neither of the two gaps', nor that of right or wrong. */
export const LIGHT: Colors = { ink: "#191d25", tone: "#cfb2de" };
export const DARK: Colors = { ink: "#f3f1ec", tone: "#76588a" };
/** On a white plate of its own, if the system chooses all colors. */
export const PLAIN: Colors = { ink: "#000000", tone: "#b0b0b0" };

/** The address of a drawing, with `black` and `gray` put into these colors. */
export function addressOf(svg: string, { ink, tone }: Colors): string {
  const drawn = svg
    .replaceAll('"black"', `"${ink}"`)
    .replaceAll('"gray"', `"${tone}"`)
    .replace("<svg ", `<svg fill="${ink}" `); // what has no fill is ink
  return `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}
