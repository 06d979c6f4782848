// Keeps the projector's machine awake if the browser allows it: pages on https, or of
// this machine. A lock is lost whenever the page is hidden, and taken again after that.

/** Stay awake until the returned function is called. */
export function stayAwake(): () => void {
  if (!("wakeLock" in navigator)) return () => {};
  let lock: WakeLockSentinel | null = null;
  let isOver = false;
  const take = async () => {
    if (document.visibilityState !== "visible" || (lock && !lock.released)) return;
    try {
      const taken = await navigator.wakeLock.request("screen");
      if (isOver) void taken.release();
      else lock = taken;
    } catch {
      // Not now, such as on a low battery: asked again when the page is seen again.
    }
  };
  const again = () => void take();
  document.addEventListener("visibilitychange", again);
  again();
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", again);
    void lock?.release();
  };
}
