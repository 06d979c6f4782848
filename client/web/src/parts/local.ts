/** Whether an address is one that only this machine knows. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|127\.|\[?::1\]?$)/.test(hostname);
}
