// What this device remembers between visits: resume tokens per room, and the name.
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // No storage: nothing is remembered, everything else works.
  }
}

export const token = {
  get: (room: string) => read(`two-gaps token ${room}`),
  set: (room: string, value: string | null) => write(`two-gaps token ${room}`, value),
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
