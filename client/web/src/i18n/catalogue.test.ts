import { expect, test } from "vitest";
import { de } from "./de";
import { deStaff } from "./de.staff";
import { deReport } from "./de.report";
import { en } from "./en";
import { enReport } from "./en.report";
import { enStaff } from "./en.staff";

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
  expect(shape(deReport)).toEqual(shape(enReport));
});
