// The preview's link: which case, whose key, what to show and which moment. Pure.
export type Show = "bench" | "phone" | "projector";

export interface Place {
  key: string | null;
  id: string;
  show: Show;
  step: number;
}

export function placeOf(hash: string): Place {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const key = given.get("admin") ?? "";
  const show = given.get("show");
  const step = Number(given.get("step") ?? 0);
  return {
    key: /^[0-9a-f]{32}$/i.test(key) ? key : null,
    id: given.get("case") ?? "",
    show: show === "phone" || show === "projector" ? show : "bench",
    step: Number.isInteger(step) && step > 0 ? step : 0,
  };
}

export function hrefOf(place: Place): string {
  const { key, id, show, step } = place;
  const parts = { case: id, admin: key ?? "", show, step: String(step) };
  return `/preview#${new URLSearchParams(parts)}`;
}
