// Which order of the plan a press asks for: pure, so that it is tested without a page.
import type { PlanItem } from "../../../protocol";

/** The rounds that are still to come, in their order. */
export function toCome(plan: readonly PlanItem[]): number[] {
  return plan.filter((item) => item.status === "to come").map((item) => item.index);
}

/** The order once a round has changed places with the one before (-1) or after it (1);
    null if there is none. */
export function moved(plan: readonly PlanItem[], index: number, by: -1 | 1): number[] | null {
  const order = toCome(plan);
  const at = order.indexOf(index);
  const other = order[at + by];
  if (at < 0 || other === undefined) return null;
  order[at + by] = index;
  order[at] = other;
  return order;
}

/** How many cases of each gap the plan has; those without one gap count for neither. */
export function balance(plan: readonly PlanItem[]): { outer: number; inner: number } {
  const clean = plan.filter(({ verdict }) => !verdict.is_contested && verdict.outer !== verdict.inner);
  const outer = clean.filter(({ verdict }) => verdict.outer).length;
  return { outer, inner: clean.length - outer };
}

/** The case that comes after the present one: one that was left open, else the next. */
export function following(plan: readonly PlanItem[]): PlanItem | undefined {
  return (
    plan.find((item) => item.status === "left") ?? plan.find((item) => item.status === "to come")
  );
}
