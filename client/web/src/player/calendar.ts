// The day to come back, and a calendar file of it. Pure.
import { dayIn } from "../parts/when";

export const DAYS = 6;

/** Six days after the game's end, by the class's calendar. */
export function comeBack(finishedMs: number, zone: string | null): Date {
  const end = dayIn(finishedMs, zone);
  return new Date(end.getFullYear(), end.getMonth(), end.getDate() + DAYS);
}

/** One all-day event (RFC 5545). */
export function calendar(day: Date, title: string, nowMs: number): string {
  const next = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1);
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const escaped = title.replace(/([\\;,])/g, "\\$1");
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Two Gaps//card//EN",
    "BEGIN:VEVENT",
    `UID:${date(day)}-two-gaps`,
    `DTSTAMP:${stamp}`,
    `DTSTART;VALUE=DATE:${date(day)}`,
    `DTEND;VALUE=DATE:${date(next)}`,
    `SUMMARY:${escaped}`,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\r\n");
}

function date(day: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${day.getFullYear()}${two(day.getMonth() + 1)}${two(day.getDate())}`;
}
