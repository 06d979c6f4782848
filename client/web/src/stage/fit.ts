// Sets a text as large as its stage allows: sizes are tried from the largest, until
// nothing has to scroll. An action on the text, which tries again whenever anything on the
// stage is added or changes, also what is fetched later.
import { tick } from "svelte";

export function fit(
  text: HTMLElement,
  sizes: readonly string[],
): { update: (next: readonly string[]) => void; destroy: () => void } {
  const stage = text.closest<HTMLElement>(".body");

  function run(): void {
    for (const size of sizes) {
      text.dataset.size = size;
      if (!stage || stage.scrollHeight <= stage.clientHeight + 1) return;
    }
  }

  const resized = new ResizeObserver(run);
  // Attributes, which `run` sets, are not looked at: it never calls itself.
  const changed = new MutationObserver(run);
  if (stage) {
    resized.observe(stage);
    changed.observe(stage, { childList: true, characterData: true, subtree: true });
  }
  void tick().then(run);
  void document.fonts.ready.then(run);
  return {
    update(next) {
      sizes = next;
      void tick().then(run);
    },
    destroy() {
      resized.disconnect();
      changed.disconnect();
    },
  };
}
