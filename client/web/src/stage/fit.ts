// Sets a text as large as its stage allows: sizes are tried from the largest, until
// nothing has to scroll. An action on the text; `what` is anything that changes it.
import { tick } from "svelte";

interface Fit {
  sizes: readonly string[];
  what: unknown;
}

export function fit(
  text: HTMLElement,
  { sizes }: Fit,
): { update: (next: Fit) => void; destroy: () => void } {
  const stage = text.closest<HTMLElement>(".body");

  function run(): void {
    for (const size of sizes) {
      text.dataset.size = size;
      if (!stage || stage.scrollHeight <= stage.clientHeight + 1) return;
    }
  }

  const watch = new ResizeObserver(run);
  if (stage) watch.observe(stage);
  void tick().then(run);
  void document.fonts.ready.then(run);
  return {
    update(next) {
      sizes = next.sizes;
      void tick().then(run);
    },
    destroy: () => watch.disconnect(),
  };
}
