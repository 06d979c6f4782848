import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { precompress } from "./scripts/precompress.ts";

const SERVER = process.env.TWOGAPS_SERVER ?? "http://127.0.0.1:8737";

// Five pages, nothing inline (the server's CSP forbids it), every asset hashed.
export default defineConfig({
  plugins: [svelte(), precompress()],
  build: {
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: "index.html",
        host: "host.html",
        screen: "screen.html",
        report: "report.html",
        preview: "preview.html",
      },
    },
    target: "es2022",
  },
  server: {
    proxy: {
      "/ws": { target: SERVER.replace("http", "ws"), ws: true },
      "/qr": SERVER,
      "/where.json": SERVER,
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
