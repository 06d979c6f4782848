// CSV as a spreadsheet opens it if numbers have a decimal comma: with semicolons.

const NUMBERS = new Set(["points"]);

/** Whether numbers of a language have a decimal comma. */
export function hasDecimalComma(locale: string): boolean {
  return new Intl.NumberFormat(locale).format(1.5).includes(",");
}

/** The same table with semicolons between cells, and commas in its numbers. */
export function withSemicolons(csv: string): string {
  const mark = csv.startsWith("\ufeff") ? "\ufeff" : "";
  const rows = rowsOf(csv.slice(mark.length));
  const names = rows[0] ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, at) => quoted(NUMBERS.has(names[at] ?? "") ? cell.replace(".", ",") : cell))
      .join(";"),
  );
  return mark + lines.map((line) => `${line}\r\n`).join("");
}

/** The cells of RFC 4180 text, by row. */
function rowsOf(csv: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/gy;
  for (let found = cells.exec(csv); found !== null; found = cells.exec(csv)) {
    const [, inQuotes, plain, end] = found;
    if (end === "" && row.length === 0 && !plain && inQuotes === undefined) break;
    row.push(inQuotes?.replaceAll('""', '"') ?? plain ?? "");
    if (end === ",") continue;
    rows.push(row);
    row = [];
    if (end === "") break;
  }
  return rows;
}

function quoted(cell: string): string {
  return /[";\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
