// A Vite plugin that writes one page with its script and its styles in it, so that the
// page opens from a disk: a browser loads no module from beside a file.
import type { Plugin } from "vite";

/** The script as written in an element: a string with "</script" must not end it. */
function inScript(code: string): string {
  return code.replaceAll("</script", "<\\/script");
}

/** Writes `page` as `name`, and nothing else. */
export function singleFile(page: string, name: string): Plugin {
  return {
    name: "single-file",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post", // after Vite has filled in its own placeholders
      handler(_, bundle) {
        let html = "";
        let script = "";
        let style = "";
        for (const [file, part] of Object.entries(bundle)) {
          if (part.type === "chunk") script += part.code;
          else if (file === page) html = String(part.source);
          else if (file.endsWith(".css")) style += String(part.source);
          else this.error(`${file} cannot be put into ${page}`);
          delete bundle[file];
        }
        if (script.includes("<script")) this.error("a script that opens a script");
        const source = html
          .replace(/\s*<link rel="(stylesheet|modulepreload)"[^>]*>/g, "")
          .replace(/<script type="module"[^>]*><\/script>/, () => {
            return `<style>${style}</style>\n    <script type="module">${inScript(script)}</script>`;
          });
        this.emitFile({ type: "asset", fileName: name, source });
      },
    },
  };
}
