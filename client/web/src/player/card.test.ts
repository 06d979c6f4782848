import { expect, test } from "vitest";
import type { CardItem, PrivateView } from "../protocol";
import { summarize } from "./card";

function item(label: "outer" | "inner", confidence: number, isRight: boolean): CardItem {
  return {
    round: 0,
    title: "A case",
    story: "",
    verdict: { outer: true, inner: false, is_contested: false },
    votes: [
      {
        ballot: "vote",
        answer: { kind: "gap", label, confidence },
        reason: "",
        is_late: false,
        is_right: isRight,
        points: 0,
      },
    ],
    score: 0,
    deciding: "",
    said: "",
    say: "",
  };
}

function you(card: CardItem[]): PrivateView {
  return { card, points: 150, rounds: 2 } as unknown as PrivateView;
}

test("names what was split well, and where one was sure and wrong", () => {
  const card = summarize(you([item("outer", 90, true), item("inner", 80, false)]));
  expect([card.right, card.judged, card.mean]).toEqual([1, 2, 75]);
  expect(card.sureAndWrong).toHaveLength(1);
  expect(card.lean).toBe("few");
});

test("bias is put in words from four answers with a confidence", () => {
  const sure = item("outer", 90, false);
  const timid = item("outer", 60, true);
  expect(summarize(you([sure, sure, sure])).bias).toBeNull();
  expect(summarize(you([sure, sure, sure, sure])).bias?.way).toBe("over");
  expect(summarize(you([timid, timid, timid, timid])).bias?.way).toBe("under");
  const bias = summarize(you([item("outer", 80, true), timid, timid, sure])).bias;
  expect(bias).toEqual({ said: 0.725, right: 0.75, way: "none" });
});

test("a lean needs misses that go one way", () => {
  const inner = item("inner", 60, false);
  const outer = item("outer", 60, false);
  expect(summarize(you([inner, inner])).lean).toBe("inner");
  expect(summarize(you([outer, outer, outer])).lean).toBe("outer");
  expect(summarize(you([outer, inner])).lean).toBe("none");
});

test("calibration counts by the confidence that was given", () => {
  const card = summarize(you([item("outer", 90, true), item("outer", 90, false)]));
  expect(card.calibration).toEqual([{ percent: 90, right: 1, n: 2 }]);
});
