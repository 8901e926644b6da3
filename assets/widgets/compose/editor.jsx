import { Editor, getSchema } from "@tiptap/core";
import { TableKit } from "@tiptap/extension-table";
import { Placeholder } from "@tiptap/extensions";
import { DOMParser as Reader } from "@tiptap/pm/model";
import StarterKit from "@tiptap/starter-kit";
import { createElement as h, useEffect, useLayoutEffect, useRef, useState } from "react";
import { cleanPasted } from "./clean.js";
import { designedNode, whole } from "./designed.js";
import { MentionMenu } from "./mention.jsx";
import { adoptData, isPicture, pictureNode, placeOf } from "./pictures.js";
import { htmlOf, textOf } from "./plain.js";
import { SlashMenu } from "./slash.jsx";
import { Tools } from "./tools.jsx";
import { Unfilled } from "./unfilled.js";

// The formatted text of a mail: TipTap on ProseMirror. Loaded when the first composer of a tab opens, not before.
// Mail programs know no style sheets, so what the schema makes carries its look with it. A paragraph is a line, as in
// other mail programs: an empty one stands between two thoughts.
const LINE = { style: "margin:0" };
const BAR = { style: "margin:0 0 0 8px;border-left:2px solid #c9ced6;padding-left:12px" };
const CELL = { style: "border:1px solid #c9ced6;padding:4px 8px;vertical-align:top" };

const NOT_PLAIN = ["blockquote", "bold", "bulletList", "code", "codeBlock", "heading", "horizontalRule", "italic", "link", "listItem", "listKeymap", "orderedList", "strike", "underline"];

/** `line`: the draft is written together, so that undoing is of one's own words alone. */
const alone = (line) => (line ? { undoRedo: false } : {});
const plainExtensions = (placeholder, line) => [
  StarterKit.configure({ ...Object.fromEntries(NOT_PLAIN.map((name) => [name, false])), trailingNode: false, ...alone(line) }),
  Placeholder.configure({ placeholder, showOnlyWhenEditable: false }),
];

const extensions = (draft, placeholder, line) => [
  StarterKit.configure({
    ...alone(line),
    paragraph: { HTMLAttributes: LINE },
    heading: { levels: [2, 3] },
    blockquote: { HTMLAttributes: BAR },
    codeBlock: { HTMLAttributes: { style: "background:#f4f4f5;padding:8px 12px;white-space:pre-wrap" } },
    link: { openOnClick: false, autolink: true, defaultProtocol: "https", HTMLAttributes: { target: null, rel: null } },
    trailingNode: false,
  }),
  TableKit.configure({
    table: { HTMLAttributes: { style: "border-collapse:collapse" }, resizable: false },
    tableCell: { HTMLAttributes: CELL },
    tableHeader: { HTMLAttributes: CELL },
  }),
  Placeholder.configure({ placeholder, showOnlyWhenEditable: false }),
  pictureNode(draft),
  designedNode(placeOf(draft)),
  Unfilled,
];

/** A draft as a document of the editor: of its HTML, or where it is plain of its lines. */
export const written = (draft, plain, { html, text }) => {
  const schema = getSchema(plain ? plainExtensions("") : extensions(draft, ""));
  const body = new DOMParser().parseFromString((plain ? htmlOf(text) : html) || "", "text/html").body;
  return Reader.fromSchema(schema).parse(body, plain ? { preserveWhitespace: "full" } : {});
};

/**
 * `html`: what it begins with. `typed`: what was typed before this was loaded, { text, focused }. `handle`: set to
 * what the composer asks ({ html, text, add, put, focus, at }). `onPicture` sends a picture up and answers its attributes.
 * `line`: of a draft that is written together, which then is what stands here. `conversation`: in which people are
 * mentioned beside it; 0 for none.
 */
export function RichText({ draft, conversation, html, typed, line, handle, shortcut, placeholder, onChange, onBlur, onFiles, onPicture, onPlain, onTemplate, onTemplates, children }) {
  const place = useRef(null);
  const latest = useRef({});
  latest.current = { onChange, onBlur, onFiles, onPicture };
  const [editor, setEditor] = useState(null);
  const [linking, setLinking] = useState(false);

  const insert = async (made, files, at) => {
    for (const file of files) {
      const put = await latest.current.onPicture(file);
      if (!put || made.isDestroyed) continue;
      const end = Math.min(at ?? made.state.selection.to, made.state.doc.content.size);
      made.commands.insertContentAt(end, { type: "image", attrs: put });
    }
  };

  useLayoutEffect(() => {
    let changed = false;
    const upload = (made, files, at) => {
      const pictures = files.filter(isPicture);
      insert(made, pictures, at);
      if (pictures.length < files.length) latest.current.onFiles(files.filter((file) => !isPicture(file)));
    };
    const made = new Editor({
      element: place.current,
      extensions: [...(line?.plain ? plainExtensions(placeholder, line) : extensions(draft, placeholder, line)), ...(line?.extensions() ?? [])],
      content: line ? undefined : typed?.text ? htmlOf(typed.text) : html,
      // A blank that was typed last is no end of a line: the next word follows it.
      parseOptions: typed?.text ? { preserveWhitespace: "full" } : {},
      editorProps: {
        attributes: {
          class: "composer-text",
          role: "textbox",
          "aria-multiline": "true",
          "aria-label": "Text",
          ...(shortcut ? { "data-key": shortcut } : {}),
        },
        transformPastedHTML: cleanPasted,
        handleKeyDown: (view, event) => {
          const ctrl = event.metaKey || event.ctrlKey;
          if (ctrl && event.key === "Enter") return true; // sends: the composer hears of it
          if (ctrl && event.key.toLowerCase() === "k") {
            event.preventDefault();
            event.stopPropagation();
            setLinking(true);
            return true;
          }
          return false;
        },
        handlePaste: (view, event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          // Word puts a picture of the words beside the words.
          if (!files.length || event.clipboardData.types.includes("text/html")) {
            setTimeout(() => adoptData(made, latest.current.onPicture), 0);
            return false;
          }
          upload(made, files);
          return true;
        },
        handleDrop: (view, event, slice, moved) => {
          const files = [...(event.dataTransfer?.files ?? [])];
          if (moved || !files.length) return false;
          event.preventDefault();
          event.stopPropagation();
          upload(made, files, view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos);
          return true;
        },
      },
      onUpdate: ({ transaction }) => {
        changed = true;
        if (!transaction.getMeta("y-sync$")?.isChangeOrigin) latest.current.onChange();
      },
      onBlur: () => latest.current.onBlur(),
    });
    const empty = () => made.state.doc.childCount === 1 && made.state.doc.firstChild.type.name === "paragraph" && !made.state.doc.firstChild.childCount;
    changed = Boolean(line || typed?.text);
    handle.current = {
      // As it came, until somebody writes: the editor words HTML otherwise than the server.
      html: () => (changed ? (empty() ? "" : whole(made.getHTML())) : html),
      text: () => textOf(made.state.doc),
      // Read as the schema reads it, beneath an empty line.
      add: (markup) => {
        const body = new DOMParser().parseFromString(markup, "text/html").body;
        const read = Reader.fromSchema(made.schema).parse(body);
        const end = made.state.doc.content.size;
        made.commands.insertContentAt(end, [{ type: "paragraph" }, ...read.toJSON().content], { updateSelection: false });
      },
      // Where the cursor stands, as if it were pasted.
      put: (markup) => {
        const body = new DOMParser().parseFromString(markup, "text/html").body;
        made.view.dispatch(made.state.tr.replaceSelection(Reader.fromSchema(made.schema).parseSlice(body)).setStoredMarks([]).scrollIntoView());
        made.view.focus();
      },
      focus: () => made.view.focus(),
      at: () => made.state.selection.head,
    };
    if (line && typed?.at) made.commands.setTextSelection(Math.min(typed.at, made.state.doc.content.size - 1));
    if (typed?.text) made.commands.setTextSelection(made.state.doc.content.size);
    // At once: the focus command waits for a frame, and what is typed in that would be lost.
    if (typed?.focused) made.view.focus();
    setEditor(made);
    return () => {
      // The composer may still save what stood here.
      const [last, said] = [handle.current.html(), handle.current.text()];
      handle.current = { html: () => last, text: () => said };
      made.destroy();
    };
  }, []);

  return h(
    "div",
    { className: "editor" },
    h("div", { ref: place, className: "editor-place" }),
    children,
    editor && onTemplate && h(SlashMenu, { editor, onChoose: onTemplate, onMore: onTemplates }),
    editor && conversation > 0 && h(MentionMenu, { editor, conversation }),
    line?.plain
      ? h("div", { className: "editor-tools" }, h("span", { className: "grow third" }, "Plain text"))
      : editor && h(Tools, { editor, linking, onLinking: setLinking, onPictures: (files) => insert(editor, files), onPlain }),
  );
}
