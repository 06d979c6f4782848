// A QR code made in the page, for links that hold a key and must never reach a server.
// ISO/IEC 18004: byte mode, error correction M, versions 1 to 8, mask chosen by penalty.
export type Matrix = boolean[][];

/** Per version: data codewords in all, check codewords a block, number of blocks. */
const SIZES = [
  [16, 10, 1],
  [28, 16, 1],
  [44, 26, 1],
  [64, 18, 2],
  [86, 24, 2],
  [108, 16, 4],
  [124, 18, 4],
  [154, 22, 4],
] as const;
const ALIGNED = [0, 18, 22, 26, 30, 34, 22, 24];
const LEVEL_M = 0;

/** The code of a text, true where it is dark; null when the text is too long. */
export function qr(text: string): Matrix | null {
  const bytes = new TextEncoder().encode(text);
  const version = 1 + SIZES.findIndex(([data]) => bytes.length + 2 <= data);
  if (version === 0) return null;
  const bits = bitsOf(codewords(bytes, version), version);
  const drawn = [0, 1, 2, 3, 4, 5, 6, 7].map((mask) => draw(version, bits, mask));
  return drawn.reduce((best, next) => (penalty(next) < penalty(best) ? next : best));
}

/** The dark modules as one path of unit squares. */
export function pathOf(code: Matrix): string {
  return code
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
}

function codewords(bytes: Uint8Array, version: number): number[] {
  const [total, check, blocks] = SIZES[version - 1]!;
  let bits = "0100" + binary(bytes.length, 8);
  for (const byte of bytes) bits += binary(byte, 8);
  bits += "0000".slice(0, Math.max(0, total * 8 - bits.length));
  const data = (bits.match(/.{8}/g) ?? []).map((eight) => parseInt(eight, 2));
  for (let pad = 0xec; data.length < total; pad ^= 0xec ^ 0x11) data.push(pad);
  return interleave(data, check, blocks);
}

/** Shorter blocks come first; words are taken from each block in turn. */
function interleave(data: number[], check: number, blocks: number): number[] {
  const short = Math.floor(data.length / blocks);
  const shortBlocks = blocks - (data.length % blocks);
  const parts: number[][] = [];
  for (let i = 0, at = 0; i < blocks; i++) {
    const size = short + (i >= shortBlocks ? 1 : 0);
    parts.push(data.slice(at, (at += size)));
  }
  const checks = parts.map((part) => remainder(part, check));
  const out: number[] = [];
  for (let i = 0; i <= short; i++) {
    for (const part of parts) if (i < part.length) out.push(part[i]!);
  }
  for (let i = 0; i < check; i++) for (const part of checks) out.push(part[i]!);
  return out;
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}

function times(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> i) & 1) * a;
  }
  return product;
}

/** Reed-Solomon check words. */
function remainder(data: number[], degree: number): number[] {
  const divisor: number[] = Array(degree).fill(0);
  divisor[degree - 1] = 1;
  for (let i = 0, root = 1; i < degree; i++, root = times(root, 2)) {
    for (let j = 0; j < degree; j++) {
      divisor[j] = times(divisor[j]!, root) ^ (divisor[j + 1] ?? 0);
    }
  }
  const rest: number[] = Array(degree).fill(0);
  for (const word of data) {
    const factor = word ^ rest.shift()!;
    rest.push(0);
    for (let j = 0; j < degree; j++) rest[j]! ^= times(divisor[j]!, factor);
  }
  return rest;
}

function bitsOf(words: number[], version: number): string {
  return words.map((word) => binary(word, 8)).join("") + (version > 1 && version < 7 ? "0000000" : "");
}

function draw(version: number, bits: string, mask: number): Matrix {
  const size = 17 + 4 * version;
  const grid: (boolean | null)[][] = Array.from({ length: size }, () => Array(size).fill(null));
  const put = (x: number, y: number, dark: boolean): void => {
    if (grid[y] && x >= 0 && x < size) grid[y]![x] = dark;
  };
  drawPatterns(put, grid, version, size, mask);
  let at = 0;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    const isUp = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const y = isUp ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (grid[y]![x] === null) put(x, y, (bits[at++] === "1") !== isMasked(mask, x, y));
      }
    }
  }
  return grid as Matrix;
}

type Put = (x: number, y: number, dark: boolean) => void;

function drawPatterns(
  put: Put,
  grid: (boolean | null)[][],
  version: number,
  size: number,
  mask: number,
): void {
  for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]] as const) {
    for (let dy = -4; dy <= 4; dy++) {
      for (let dx = -4; dx <= 4; dx++) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        put(cx + dx, cy + dy, ring !== 2 && ring !== 4);
      }
    }
  }
  const last = size - 7;
  const places = version === 1 ? [] : version < 7 ? [6, last] : [6, ALIGNED[version - 1]!, last];
  for (const cy of places) {
    for (const cx of places) {
      if ((cx === 6 && cy === 6) || (cx === 6 && cy === last) || (cx === last && cy === 6)) continue;
      for (let dy = -2; dy <= 2; dy++) {
        for (let dx = -2; dx <= 2; dx++) {
          put(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
        }
      }
    }
  }
  for (let i = 8; i < size - 8; i++) {
    if (grid[6]![i] === null) put(i, 6, i % 2 === 0);
    if (grid[i]![6] === null) put(6, i, i % 2 === 0);
  }
  drawFormat(put, size, mask);
  if (version >= 7) drawVersion(put, size, version);
}

function drawFormat(put: Put, size: number, mask: number): void {
  const data = (LEVEL_M << 3) | mask;
  let rest = data;
  for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((data << 10) | rest) ^ 0x5412;
  const bit = (i: number) => ((bits >>> i) & 1) === 1;
  for (let i = 0; i < 15; i++) {
    if (i < 6) put(8, i, bit(i));
    else if (i < 8) put(8, i + 1, bit(i));
    else if (i === 8) put(7, 8, bit(i));
    else put(14 - i, 8, bit(i));
    if (i < 8) put(size - 1 - i, 8, bit(i));
    else put(8, size - 15 + i, bit(i));
  }
  put(8, size - 8, true);
}

function drawVersion(put: Put, size: number, version: number): void {
  let rest = version;
  for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let i = 0; i < 18; i++) {
    const dark = ((bits >>> i) & 1) === 1;
    const a = size - 11 + (i % 3);
    const b = Math.floor(i / 3);
    put(a, b, dark);
    put(b, a, dark);
  }
}

function isMasked(mask: number, x: number, y: number): boolean {
  switch (mask) {
    case 0:
      return (x + y) % 2 === 0;
    case 1:
      return y % 2 === 0;
    case 2:
      return x % 3 === 0;
    case 3:
      return (x + y) % 3 === 0;
    case 4:
      return (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0;
    case 5:
      return ((x * y) % 2) + ((x * y) % 3) === 0;
    case 6:
      return (((x * y) % 2) + ((x * y) % 3)) % 2 === 0;
    default:
      return (((x + y) % 2) + ((x * y) % 3)) % 2 === 0;
  }
}

/** Long runs and big squares count against a mask; scanners read the rest well. */
function penalty(code: Matrix): number {
  const size = code.length;
  let sum = 0;
  for (const at of [(i: number, j: number) => code[i]![j]!, (i: number, j: number) => code[j]![i]!]) {
    for (let i = 0; i < size; i++) {
      for (let j = 1, run = 1; j < size; j++) {
        run = at(i, j) === at(i, j - 1) ? run + 1 : 1;
        if (run === 5) sum += 3;
        else if (run > 5) sum += 1;
      }
    }
  }
  for (let y = 1; y < size; y++) {
    for (let x = 1; x < size; x++) {
      const dark = code[y]![x];
      if (dark === code[y - 1]![x] && dark === code[y]![x - 1] && dark === code[y - 1]![x - 1]) sum += 3;
    }
  }
  return sum;
}
