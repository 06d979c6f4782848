// Moments as the class's clock showed them. Pure.

/** UTC if a room does not say its time zone, or this browser does not know it. */
function zoned(zone: string | null): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone ?? "UTC" });
    return zone ?? "UTC";
  } catch {
    return "UTC";
  }
}

/** Date and time, with the name of the time zone. */
export function moment(ms: number, zone: string | null, locale: string): string {
  return new Date(ms).toLocaleString(locale, {
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZone: zoned(zone),
    timeZoneName: "short",
  });
}

/** The day in that time zone, as a date at midnight of this device's. */
export function dayIn(ms: number, zone: string | null): Date {
  const parts = new Intl.DateTimeFormat("en", {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    timeZone: zoned(zone),
  }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)!.value);
  return new Date(part("year"), part("month") - 1, part("day"));
}

/** The time zone of this device, if its browser tells. */
export function ownZone(): string | null {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || null;
}
