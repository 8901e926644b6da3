import { createElement as h, useState } from "react";
import { floating } from "./floating.js";

// What can be done with a picture that is chosen in the text: how wide it is in the mail, and what it says to those who
// do not see it. It is made no wider than it is, and no wider than a mail.
const SIZES = [
  ["Small", 160],
  ["Medium", 320],
  ["Large", 640],
];

/** The tools of the chosen picture: { label, words, on, press }. */
export const pictureTools = (editor, onDescribe) => {
  const { width, alt } = editor.getAttributes("image");
  const own = editor.view.nodeDOM(editor.state.selection.from)?.naturalWidth || Infinity; // not known before it has come
  const put = (wide) => () => {
    editor.view.focus();
    editor.commands.updateAttributes("image", { width: wide });
    editor.commands.setNodeSelection(editor.state.selection.from); // so that the next size can be tried
  };
  const sizes = SIZES.filter(([, wide], i) => i === 0 || SIZES[i - 1][1] < own).map(([words, wide]) => {
    const so = Math.min(wide, own);
    return { label: `${words} picture`, words, on: width === so, press: put(so) };
  });
  return [...sizes, { label: "Describe the picture for those who do not see it", words: alt ? "Description" : "Add a description", press: onDescribe }];
};

export function DescriptionBox({ editor, onClose }) {
  const [typed, setTyped] = useState(() => editor.getAttributes("image").alt ?? "");
  const put = () => {
    editor.commands.updateAttributes("image", { alt: typed.trim() });
    onClose(true);
  };
  return h(
    "div",
    { className: "float editor-float link-box", role: "dialog", "aria-label": "Description of the picture", ...floating(onClose) },
    h("input", {
      className: "input",
      autoFocus: true,
      value: typed,
      maxLength: 300,
      placeholder: "What it shows, in a few words",
      "aria-label": "What the picture shows",
      onChange: (event) => setTyped(event.target.value),
      onKeyDown: (event) => {
        if (event.key === "Enter") (event.preventDefault(), event.stopPropagation(), put());
      },
    }),
    h("button", { type: "button", className: "btn pri", onClick: put }, "Save"),
  );
}
