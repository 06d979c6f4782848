// The line of the opening minute draws itself: one station after the other, or all of them
// if the device asks for less motion. Called while a component is made.
const STATION_MS = 2500;

export function drawing(): { readonly shown: number } {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let shown = $state(isStill ? 3 : 1);
  $effect(() => {
    if (shown === 3) return;
    const timer = setTimeout(() => (shown += 1), STATION_MS);
    return () => clearTimeout(timer);
  });
  return {
    get shown() {
      return shown;
    },
  };
}
