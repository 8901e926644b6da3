import { createElement as h, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { send } from "../api.js";
import { keepingFocus } from "./focus.js";
import { icon } from "./icons.jsx";
import { htmlOf } from "./plain.js";
import { sendUp } from "./uploads.js";

// The words of a mail, formatted or plain, and beneath them the message that they answer, folded.
// The editor is large, so it comes with the first composer of a tab. Until then a plain field stands in its place,
// and what is typed there goes on in the editor.
let RichText = null;
let coming = null;
const load = () =>
  (coming ??= import("./editor.jsx").then(
    (module) => {
      RichText = module.RichText;
    },
    (fault) => {
      coming = null; // so that it can be tried again
      throw fault;
    },
  ));

const PLACEHOLDER = "Write your mail";

/**
 * `handle` is set to { html, text }: what stands here now; `html` is null in plain text. `put` puts in what a template
 * says, { html, text }, where the cursor stands. In a draft that is written `together`, what stands here is what its
 * `line` says, once there is one.
 */
export function Body({ draft, handle, together, line, quoted, onQuoted, onChange, onBlur, onFiles, onTemplate, onTemplates, onTrouble }) {
  const [chosen, setPlain] = useState(draft.html === null || draft.html === undefined);
  const plain = line ? line.plain : chosen;
  const [ready, setReady] = useState(Boolean(RichText));
  const [failed, setFailed] = useState(false);
  const field = useRef(null);
  const inner = useRef(null);
  const typed = useRef(null);
  const switched = useRef(false); // the person turned to plain text, and goes on in it
  const last = useRef(draft.text); // in the plain field, which is gone before the composer saves for the last time
  const begins = useRef({ html: draft.html || "", text: draft.text });
  const docked = Boolean(draft.conversation_id);
  const opening = draft.together && !line;
  const waits = (!plain && !ready) || opening;
  // What stood here formatted is shown while the editor comes, and not to be written into: that would lose its form.
  const fixed = opening || (waits && Boolean(begins.current.html));

  const bring = () => {
    setFailed(false);
    load().then(
      () => {
        const node = field.current;
        typed.current = node && { text: node.readOnly ? "" : node.value, focused: document.activeElement === node };
        keepingFocus(draft.id, () => flushSync(() => setReady(true))); // not a key in between
      },
      () => setFailed(true),
    );
  };
  useEffect(() => {
    if (waits && !opening) bring();
  }, [waits, opening]);

  // A colleague has joined: the line comes in the place of the editor, or of the plain field, at the same word.
  const had = useRef(null);
  if (line && had.current !== line) {
    had.current = line;
    const node = document.activeElement?.closest?.(`[data-composer="${draft.id}"] .composer-text`);
    typed.current = { text: "", focused: Boolean(node), at: inner.current?.at?.() ?? (node?.selectionStart ?? 0) + 1 };
  }

  // What was asked for before there was an editor to put it into comes with the editor.
  const due = useRef(null);
  useEffect(() => {
    if (waits || !due.current) return;
    due.current();
    due.current = null;
  }, [waits]);

  const grow = () => {
    const node = field.current;
    if (!node || !docked) return;
    node.style.height = "auto";
    node.style.height = `${Math.min(node.scrollHeight + 2, window.innerHeight * 0.42)}px`;
  };
  useEffect(() => {
    grow();
    if (plain && switched.current) field.current.focus();
  }, [plain, ready]);

  handle.current = {
    html: () => {
      if (plain) return null;
      if (line) return inner.current?.html() ?? draft.html;
      if (ready) return inner.current?.html() ?? begins.current.html;
      return fixed ? begins.current.html : htmlOf(last.current);
    },
    text: () => (!line && (plain || waits) ? last.current : (inner.current?.text() ?? draft.text)),
    put: (said) => {
      if (line) return inner.current.put(plain ? htmlOf(said.text) : said.html);
      if (!plain && !waits) return inner.current.put(said.html);
      const node = field.current;
      node.focus();
      node.setRangeText(said.text, node.selectionStart, node.selectionEnd, "end");
      last.current = node.value;
      grow();
      onChange();
    },
    waits: () => waits,
    once: (act) => (waits ? (due.current = act) : act()),
    focus: () => focus(),
  };

  const picture = async (file) => {
    try {
      const { widthOf } = await import("./pictures.js");
      const [stored, width] = [await sendUp(draft.id, file, { inText: true }), await widthOf(file)];
      const put = stored.attachments.filter((each) => each.content_id).sort((a, b) => b.id - a.id)[0];
      return { src: `cid:${put.content_id}`, alt: "", width };
    } catch (fault) {
      onTrouble(`${file.name}: ${fault.message}`);
      return null;
    }
  };

  const unfold = async () => {
    try {
      const message = await send("POST", `/drafts/${draft.id}/quote`); // as it can be written into: { html, text }
      onQuoted(false);
      if (line) inner.current?.add(plain ? htmlOf(message.text) : message.html);
      else if (plain) {
        field.current.value = last.current = `${field.current.value.trimEnd()}\n\n${message.text}`;
        grow();
      } else inner.current?.add(message.html);
      onChange();
      focus();
    } catch (fault) {
      onTrouble(fault.message);
    }
  };

  const toPlain = () => {
    last.current = waits ? last.current : (inner.current?.text() ?? "");
    begins.current = { html: "", text: last.current };
    switched.current = true;
    setPlain(true);
    onChange();
  };
  const toRich = () => {
    begins.current = { html: htmlOf(last.current), text: last.current };
    typed.current = { text: "", focused: true };
    setPlain(false);
    onChange();
  };

  const focus = () => (plain && !line ? field.current?.focus() : inner.current?.focus?.());
  const folded =
    quoted &&
    h(
      "div",
      { className: "quote-line" },
      h(
        "button",
        { type: "button", className: "quote-more", onClick: unfold, disabled: waits, "aria-label": "Show what is quoted", title: "Show what is quoted, to write into it" },
        icon("more", 16),
        draft.kind === "forward" && h("span", null, "Forwarded message"),
      ),
      h("button", { type: "button", className: "quote-off", onClick: () => (onQuoted(false), onChange(), focus()), "aria-label": "Leave the quotation out", title: "Leave the quotation out" }, icon("close", 12)),
    );
  if (line || (!plain && ready && !opening))
    return h(
      "div",
      { className: "composer-body" },
      h(
        line?.RichText ?? RichText,
        {
          key: line ? "together" : "alone",
          line,
          draft: draft.id,
          conversation: draft.conversation_id,
          html: begins.current.html,
          typed: typed.current,
          handle: inner,
          shortcut: docked ? "r" : "",
          placeholder: PLACEHOLDER,
          onChange,
          onBlur,
          onFiles,
          onPicture: picture,
          onPlain: together ? null : toPlain,
          onTemplate,
          onTemplates,
        },
        folded,
      ),
    );
  return h(
    "div",
    { className: "composer-body" },
    h("textarea", {
      key: plain ? "plain" : "waiting",
      ref: field,
      className: "composer-text",
      defaultValue: begins.current.text,
      readOnly: fixed,
      "aria-label": "Text",
      "data-key": docked ? "r" : undefined,
      placeholder: PLACEHOLDER,
      onInput: (event) => {
        last.current = event.target.value;
        grow();
        onChange();
      },
      onBlur,
      onPaste: (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (!files.length) return;
        event.preventDefault();
        onFiles(files);
      },
    }),
    folded,
    plain &&
      h(
        "div",
        { className: "editor-tools" },
        h("span", { className: "grow third" }, "Plain text"),
        !together && h("button", { type: "button", className: "tool words", onClick: toRich, title: "With bold, lists, pictures" }, "Formatted"),
      ),
    failed &&
      h(
        "div",
        { className: "composer-error", role: "alert" },
        "The editor could not be loaded. ",
        h("button", { type: "button", className: "link", onClick: bring }, "Try again"),
      ),
  );
}
