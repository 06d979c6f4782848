// Saves the card as one HTML file that needs no server: its marks keep their shapes,
// its style is its own.
import { keep } from "../parts/keep";

const STYLE = `
body{max-width:40rem;margin:2rem auto;padding:0 1rem;color:#191d25;background:#fbfaf7;
font:400 1rem/1.5 system-ui,sans-serif}
h2,h3,p,ul,ol{margin:0;padding:0}ul,ol{list-style:none}
h2{font:500 1.75rem/1.2 Georgia,serif;margin:.3em 0}
h3{font-size:1rem;margin:1.2em 0 .2em}li{margin-bottom:.4em;break-inside:avoid}
.eyebrow,.muted{color:#565d69}.intro{font:400 1.125rem/1.45 Georgia,serif}
.cases{margin-top:1.5em;border-top:1px solid #dcd8ce}
.sign{width:1.1em;height:1.1em;vertical-align:-.2em;overflow:visible}
.ring{fill:none;stroke:#e69f00;stroke-width:4.5}.dot{fill:#0072b2}
.rule,.query{fill:none;stroke:#191d25;stroke-width:3}
.visually-hidden{display:none}
blockquote{margin:.2em 0 .6em;padding-left:.8em;border-left:3px solid #dcd8ce}
figure{margin:.6em 0}.rail>li{padding-left:3.2em;position:relative}
.between{color:#565d69}.between.broken{color:#191d25;font-weight:600}
.between svg{position:absolute;left:0;width:2.6em;height:2.6em;overflow:visible}
.half,.crack,.line,.ghost{display:none}.story{font:400 1.05rem/1.5 Georgia,serif;margin-bottom:.7em}
.cases>li{display:flow-root}.drawing{float:right;width:min(40%,12rem);margin:0 0 .5em 1em}
img{display:block;width:100%;height:auto}.sources{color:#565d69;font-size:.9rem}.cases>li>p{margin:.6em 0}
summary{cursor:pointer;padding:.3em 0}dt{color:#565d69}dd{margin:0 0 .5em 0}
`;

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export function saveCard(card: HTMLElement, title: string, language: string): void {
  const copy = card.cloneNode(true) as HTMLElement;
  // On light paper: the drawings for dark pages stay behind.
  for (const other of copy.querySelectorAll("source")) other.remove();
  for (const live of copy.querySelectorAll("[data-live]")) live.remove();
  const page =
    `<!doctype html><html lang="${language}"><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width"><title>${escape(title)}</title>` +
    `<style>${STYLE}</style><body>${copy.innerHTML}</body></html>`;
  keep(page, "text/html", `${title.replace(/[^\p{L}\p{N}]+/gu, "-")}.html`);
}
