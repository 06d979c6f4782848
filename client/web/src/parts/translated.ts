// Keeps a page true that the browser translates. Its translator takes a text node away and
// puts a <font> with the translation there; this page would go on writing into the node
// that is no longer shown. When it does, the node goes back in its place, to be translated anew.
const placeOf = new WeakMap<Node, Element>();

export function keepTranslated(root: Node = document.body): void {
  const changes = new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "characterData") putBack(record.target);
      else for (const node of record.removedNodes) remember(node, record, changes);
    }
  });
  changes.observe(root, { childList: true, subtree: true });
}

function remember(node: Node, record: MutationRecord, changes: MutationObserver): void {
  if (node.nodeType !== Node.TEXT_NODE || node.isConnected) return;
  const near = [...record.addedNodes, record.previousSibling, record.nextSibling];
  const font = near.find((one) => one instanceof Element && one.tagName === "FONT");
  if (!font) return;
  placeOf.set(node, font as Element);
  changes.observe(node, { characterData: true });
}

function putBack(node: Node): void {
  const font = placeOf.get(node);
  if (!font?.isConnected || node.isConnected) return;
  placeOf.delete(node);
  font.replaceWith(node);
}
