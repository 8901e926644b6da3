import { Plugin, PluginKey } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";
import { Extension } from "@tiptap/core";
import { UNFILLED } from "./warnings.js";

// Fields of a template that nobody could fill in are marked while they stand in the text. The mark is in the editor
// only: it is gone with the brackets, and never part of the mail.
const marks = (doc) => {
  const found = [];
  doc.descendants((node, at) => {
    if (!node.isText) return;
    for (const match of node.text.matchAll(UNFILLED))
      found.push(Decoration.inline(at + match.index, at + match.index + match[0].length, { class: "unfilled" }));
  });
  return DecorationSet.create(doc, found);
};

export const Unfilled = Extension.create({
  name: "unfilled",
  addProseMirrorPlugins: () => [
    new Plugin({
      key: new PluginKey("unfilled"),
      state: { init: (config, { doc }) => marks(doc), apply: (change, before) => (change.docChanged ? marks(change.doc) : before) },
      props: {
        decorations(state) {
          return this.getState(state);
        },
      },
    }),
  ],
});
