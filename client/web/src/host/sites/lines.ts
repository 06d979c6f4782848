// The lines about each site: pure, so tests need no page.
import type { HeldReveal, SiteCard, SiteLink } from "../../protocol";
import type { Command } from "../../room/session.svelte";
import type { SitesOfHosts } from "../../i18n/late.svelte";

/** How a site is connected, and how far behind it is. */
export function lineOf(w: SitesOfHosts, link: SiteLink | null): string {
  if (!link) return w.isGone;
  if (link.is_here) return w.isHere;
  const line = link.is_up ? w.isUp : w.isCut;
  const silence = link.silent_s === null ? [] : [w.silent(link.silent_s)];
  return [line, ...silence, ...debt(w, link)].join(", ");
}

function debt(w: SitesOfHosts, link: SiteLink): string[] {
  if (link.waiting) return [w.onTheWay(link.waiting)];
  return link.is_behind || !link.is_up ? [] : [w.upToDate];
}

/** For whom a reveal waits, and what is known of each. */
export function waitingFor(w: SitesOfHosts, held: HeldReveal): string {
  const sites = held.sites.map((site) => {
    const facts = [
      ...(site.waiting ? [w.onTheWay(site.waiting)] : []),
      ...(site.is_up ? [] : [w.isCut]),
      ...(site.silent_s === null ? [] : [w.silent(site.silent_s)]),
    ];
    return facts.length ? `${site.name} (${facts.join(", ")})` : site.name;
  });
  return w.waiting(sites.join(", "));
}

/** The command that goes on without the sites that something waits for. */
export function goOn(held: HeldReveal): Command {
  if (held.command === "close_votes") {
    return { type: "close_votes", override: false, without: true };
  }
  return { type: held.command === "finish" ? "finish" : "reveal", without: true };
}

/** A site that the host should look at. */
export function isTroubled(card: SiteCard): boolean {
  return card.link !== null && !card.link.is_here && !card.link.is_up;
}
