import { expect, test } from "vitest";
import { de, deStaff } from "./de";
import { en, enStaff } from "./en";

function shape(node: unknown): unknown {
  if (Array.isArray(node)) return node.length;
  if (typeof node !== "object" || node === null) return typeof node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== "refusals")
      .map(([key, value]) => [key, shape(value)]),
  );
}

test("German says everything that English says", () => {
  expect(shape(de)).toEqual(shape(en));
  expect(shape(deStaff)).toEqual(shape(enStaff));
});
