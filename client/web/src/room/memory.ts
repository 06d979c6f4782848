// What this device remembers between visits: resume tokens per room, and the name.
//
// Where the browser keeps nothing (private windows, blocked cookies), the entry of this
// page in the tab's history does: it survives a reload, so that a pupil stays the same
// player, and unlike the address it is not passed on with a copied link.
type Kept = Record<string, string | null>;

const inHistory = () => (history.state as Kept | null) ?? {};

function read(key: string): string | null {
  try {
    return localStorage.getItem(key) ?? inHistory()[key] ?? null;
  } catch {
    return inHistory()[key] ?? null;
  }
}

function write(key: string, value: string | null): void {
  let left = value;
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    left = null;
  } catch {
    // No storage here.
  }
  if (left ?? inHistory()[key]) history.replaceState({ ...inHistory(), [key]: left }, "");
}

/** Show another address without a new entry in the history. */
export function moveTo(path: string): void {
  history.replaceState(history.state, "", path);
}

/** The player on this device, by room. */
export const token = {
  get: (room: string) => read(`two-gaps token ${room}`),
  set: (room: string, value: string | null) => write(`two-gaps token ${room}`, value),
};

/** Everyone who has joined a room from this device: tokens by name. */
export const people = {
  get(room: string): Record<string, string> {
    try {
      return JSON.parse(read(`two-gaps people ${room}`) ?? "{}") as Record<string, string>;
    } catch {
      return {};
    }
  },
  set(room: string, all: Record<string, string>): void {
    write(`two-gaps people ${room}`, JSON.stringify(all));
  },
};

/** What marks this device: random, and the same in every visit. */
export function device(make: () => string): string {
  const kept = read("two-gaps device");
  if (kept) return kept;
  const made = make();
  write("two-gaps device", made);
  return made;
}

export const item = {
  get: (key: string) => read(`two-gaps ${key}`),
  set: (key: string, value: string | null) => write(`two-gaps ${key}`, value),
};

/** The name in the form, until it has been used. */
export const typedName = {
  get: () => item.get("typed name"),
  set: (value: string | null) => item.set("typed name", value),
};

export const name = {
  get: () => read("two-gaps name"),
  set: (value: string) => write("two-gaps name", value),
};

export const language = {
  get: () => read("two-gaps language"),
  set: (value: string) => write("two-gaps language", value),
};

/** The address that the host has chosen for players, of several. */
export const address = {
  get: () => read("two-gaps address"),
  set: (value: string) => write("two-gaps address", value),
};
