import { createElement as h, useEffect, useRef, useState } from "react";
import { DescriptionBox, pictureTools } from "./picture_tools.jsx";
import { EMOJI } from "./emoji.js";
import { floating } from "./floating.js";
import { icon } from "./icons.jsx";

// The tools over the text. One stop of the Tab key, the arrows go on from there (the pattern of an ARIA toolbar).
const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);
const keys = (key) => (MAC ? `⌘${key}` : `Ctrl+${key}`);

const MARKS = [
  ["bold", "Bold", "B", (c) => c.toggleBold()],
  ["italic", "Italic", "I", (c) => c.toggleItalic()],
  ["underline", "Underline", "U", (c) => c.toggleUnderline()],
  ["strike", "Strikethrough", MAC ? "⇧S" : "Shift+S", (c) => c.toggleStrike()],
  ["code", "Code", "E", (c) => c.toggleCode()],
];
const BLOCKS = [
  ["heading", "Heading", "", (c) => c.toggleHeading({ level: 2 })],
  ["bullets", "Bullet list", MAC ? "⇧8" : "Shift+8", (c) => c.toggleBulletList(), "bulletList"],
  ["numbers", "Numbered list", MAC ? "⇧7" : "Shift+7", (c) => c.toggleOrderedList(), "orderedList"],
  ["quote", "Quotation", MAC ? "⇧B" : "Shift+B", (c) => c.toggleBlockquote(), "blockquote"],
];
const TABLE = [
  ["Add a row", (c) => c.addRowAfter(), "Row +"],
  ["Add a column", (c) => c.addColumnAfter(), "Column +"],
  ["Remove the row", (c) => c.deleteRow(), "Row −"],
  ["Remove the column", (c) => c.deleteColumn(), "Column −"],
  ["Remove the table", (c) => c.deleteTable(), "Remove table"],
];

export function Tools({ editor, linking, onLinking, onPictures, onPlain }) {
  const [, again] = useState(0);
  const [emoji, setEmoji] = useState(false);
  const [describing, setDescribing] = useState(false);
  const [at, setAt] = useState(0);
  const bar = useRef(null);
  const picker = useRef(null);

  useEffect(() => {
    let due = 0;
    const look = () => {
      due ||= requestAnimationFrame(() => ((due = 0), again((n) => n + 1)));
    };
    editor.on("transaction", look);
    return () => {
      cancelAnimationFrame(due);
      editor.off("transaction", look);
    };
  }, [editor]);

  const run = (deed) => {
    editor.view.focus(); // at once, not with the next frame as the focus command does
    deed(editor.chain()).run();
  };
  let place = -1;
  const tool = (name, label, press, { on, off, words, key, ...more } = {}) => {
    place += 1;
    const mine = place;
    return h(
      "button",
      {
        key: label,
        type: "button",
        className: `tool${on ? " on" : ""}${words ? " words" : ""}`,
        title: key ? `${label} (${keys(key)})` : label,
        "aria-label": label,
        "aria-pressed": on === undefined ? undefined : on,
        "aria-disabled": off || undefined,
        tabIndex: mine === at ? 0 : -1,
        onMouseDown: (event) => event.preventDefault(), // the cursor stays in the text
        onFocus: () => setAt(mine),
        onClick: () => off || press(),
        ...more,
      },
      words || icon(name, 15),
    );
  };
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      editor.view.focus();
    }
    if (!step && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const all = [...bar.current.querySelectorAll(".tool")];
    const now = all.indexOf(document.activeElement);
    all.at(event.key === "Home" ? 0 : event.key === "End" ? -1 : (now + step + all.length) % all.length)?.focus();
  };
  const gap = (key) => h("span", { key, className: "tool-gap", "aria-hidden": true });

  return h(
    "div",
    { className: "editor-tools" },
    h(
      "div",
      { ref: bar, className: "tools", role: "toolbar", "aria-label": "Formatting", onKeyDown: walk },
      MARKS.map(([name, label, key, deed]) => tool(name, label, () => run(deed), { on: editor.isActive(name), key })),
      gap("1"),
      BLOCKS.map(([name, label, key, deed, node]) => tool(name, label, () => run(deed), { on: editor.isActive(node ?? name), key })),
      gap("2"),
      tool("link", "Link", () => onLinking(true), { on: editor.isActive("link"), key: "K" }),
      tool("picture", "Picture", () => picker.current.click()),
      tool("table", "Table", () => run((c) => c.insertTable({ rows: 3, cols: 3, withHeaderRow: false })), { off: editor.isActive("table") }),
      tool("emoji", "Emoji", () => setEmoji(!emoji), { "aria-expanded": emoji }),
      gap("3"),
      tool("undo", "Step back", () => run((c) => c.undo()), { off: !editor.can().undo(), key: "Z" }),
      tool("clear", "Clear formatting", () => run((c) => c.unsetAllMarks().clearNodes())),
      onPlain && tool("", "Plain, without formatting", onPlain, { words: "Plain" }),
      editor.isActive("table") && [h("span", { key: "4", className: "tool-break", "aria-hidden": true }), ...TABLE.map(([label, deed, words]) => tool("", label, () => run(deed), { words }))],
      editor.isActive("image") && [
        h("span", { key: "5", className: "tool-break", "aria-hidden": true }),
        ...pictureTools(editor, () => setDescribing(true)).map(({ label, words, on, press }) => tool("", label, press, { words, on })),
      ],
    ),
    h("input", {
      ref: picker,
      type: "file",
      accept: "image/png,image/jpeg,image/gif,image/webp",
      multiple: true,
      hidden: true,
      "aria-label": "Pictures to put in",
      onChange: (event) => {
        onPictures([...event.target.files]);
        event.target.value = "";
      },
    }),
    emoji &&
      h(EmojiBox, {
        onChoose: (one) => (setEmoji(false), run((c) => c.insertContent(one))),
        onClose: (back) => (setEmoji(false), back && editor.view.focus()),
      }),
    describing && h(DescriptionBox, { editor, onClose: (back) => (setDescribing(false), back && editor.view.focus()) }),
    linking && h(LinkBox, { editor, onClose: (back) => (onLinking(false), back && editor.view.focus()) }),
  );
}

function EmojiBox({ onChoose, onClose }) {
  const [sought, setSought] = useState("");
  const words = sought.trim().toLowerCase();
  const found = EMOJI.filter(([, names]) => names.includes(words));
  const arrows = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
    if (!step || (event.target.matches("input") && step !== 8)) return;
    event.preventDefault();
    const all = [...event.currentTarget.querySelectorAll("button")];
    all[Math.max(0, all.indexOf(document.activeElement) + (event.target.matches("input") ? 1 : step))]?.focus();
  };
  return h(
    "div",
    { className: "float editor-float emoji-pick", role: "dialog", "aria-label": "Emoji", ...floating(onClose) },
    h("input", {
      className: "input",
      autoFocus: true,
      value: sought,
      placeholder: "Find one",
      "aria-label": "Find an emoji",
      onChange: (event) => setSought(event.target.value),
      onKeyDown: (event) => {
        if (event.key === "Enter" && found.length) (event.preventDefault(), onChoose(found[0][0]));
      },
    }),
    h(
      "div",
      { className: "emoji-grid", onKeyDown: arrows },
      found.map(([one, names]) => h("button", { key: one, type: "button", "aria-label": names, onClick: () => onChoose(one) }, one)),
      !found.length && h("small", null, "None with this name"),
    ),
  );
}

const address = (typed) => {
  const words = typed.trim();
  if (/^(https?:\/\/|mailto:|tel:)\S+$/i.test(words)) return words;
  if (/^[^\s@/]+@[^\s@/]+\.[^\s@/]+$/.test(words)) return `mailto:${words}`;
  return /^[^\s/.]+(\.[^\s/.]+)+(\/\S*)?$/.test(words) ? `https://${words}` : "";
};

function LinkBox({ editor, onClose }) {
  const [typed, setTyped] = useState(() => editor.getAttributes("link").href ?? "");
  const [wrong, setWrong] = useState(false);
  const there = editor.isActive("link");
  const put = () => {
    const href = address(typed);
    if (!href) return setWrong(true);
    const chain = editor.chain().extendMarkRange("link");
    if (editor.state.selection.empty && !there) chain.insertContent([{ type: "text", text: typed.trim(), marks: [{ type: "link", attrs: { href } }] }, { type: "text", text: " " }]).run();
    else chain.setLink({ href }).run();
    onClose(true);
  };
  return h(
    "div",
    { className: "float editor-float link-box", role: "dialog", "aria-label": "Link", ...floating(onClose) },
    h("input", {
      className: wrong ? "input wrong" : "input",
      autoFocus: true,
      value: typed,
      placeholder: "https://",
      "aria-label": "Where the link leads",
      "aria-invalid": wrong,
      spellCheck: false,
      onChange: (event) => (setWrong(false), setTyped(event.target.value)),
      onKeyDown: (event) => {
        if (event.key === "Enter") (event.preventDefault(), event.stopPropagation(), put());
      },
    }),
    there && h("button", { type: "button", className: "btn", onClick: () => (editor.chain().extendMarkRange("link").unsetLink().run(), onClose(true)) }, "Remove"),
    h("button", { type: "button", className: "btn pri", onClick: put }, "Link"),
    wrong && h("small", { role: "alert" }, "This is no address of the web or of mail."),
  );
}
