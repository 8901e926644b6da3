import { createElement as h, useEffect, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ask, holding, send as sendUp } from "./api.js";

const LARGEST_FILE = 25 * 1024 * 1024;
const MARKS = { b: "**", i: "_", e: "`" };

/** Addresses of conversations of this Tandem, as they are copied out of the browser. */
const address = () => new RegExp(`${location.origin.replace(/[.]/g, "\\.")}/\\?[^\\s]*?conversation=(\\d+)[^\\s]*`, "g");

/** Those of `people` who see the conversation: only they are offered. */
export const seeing = ({ people, mailbox, seers }) =>
  (people ?? []).filter((each) => each.mailboxes.includes(mailbox) || (!each.team && (seers ?? []).includes(each.id)));

// The comment box owns its text. "@" completes people and teams; what was chosen is remembered by name, so that a
// mention that was deleted again mentions nobody. "#" completes conversations: a number means one only if it was chosen,
// or pasted as an address. Files go up at once and are said with the comment.
// `named`: whom the mail beside it names, { name, count }: they stand in the comment as if they were chosen here.
export function CommentBox({ people: everybody, mailbox, seers, closed, conversation, linkable, onFind, onSend, onShare, initial, named, onDone }) {
  // What was said already is changed: nobody is asked whether to share it, and Escape leaves it as it is.
  const editing = initial !== undefined;
  // Who names somebody that does not see the conversation is asked whether to share it.
  const people = seeing({ people: everybody, mailbox, seers });
  const sees = (each) => people.includes(each);
  const box = useRef(null);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => setNarrow(matchMedia("(max-width: 759px)").matches), []);
  const [text, setText] = useState(initial ?? "");
  useLayoutEffect(() => {
    const node = box.current;
    node.style.height = "auto";
    if (node.value) node.style.height = `${Math.min(node.scrollHeight, 190)}px`;
    else node.scrollTop = 0;
  }, [text]); // measuring costs a layout of the page, and a box stands in every conversation that is kept ready
  const [begun, setBegun] = useState(null);
  const [at, setAt] = useState(0);
  const [linking, setLinking] = useState(null);
  const [picked, setPicked] = useState(-1);
  const [files, setFiles] = useState([]);
  const links = useRef(new Set());
  const finder = useRef(0);
  const picker = useRef(null);
  const offered = linking === null ? [] : (linkable ?? []);
  const [asked, setAsked] = useState("");

  const found =
    begun === null
      ? []
      : people.filter((each) => each.name.toLowerCase().split(" ").some((w) => w.startsWith(begun.toLowerCase()))
          || each.name.toLowerCase().startsWith(begun.toLowerCase())).slice(0, 7);

  const look = (node) => {
    const before = node.value.slice(0, node.selectionStart);
    const match = /(?:^|\s)@([^@\n]{0,30})$/.exec(before);
    setBegun(match ? match[1] : null);
    setAt(0);
    const hash = /(?:^|[\s(])#([^\s#]{0,40})$/.exec(before);
    setLinking(hash ? hash[1] : null);
    setPicked(-1);
    clearTimeout(finder.current);
    if (hash) finder.current = setTimeout(() => onFind?.(hash[1]), 120);
  };

  const put = (next, cursor) => {
    flushSync(() => setText(next)); // so that what is typed next stands behind it
    box.current.focus();
    box.current.selectionStart = box.current.selectionEnd = cursor;
  };
  useEffect(() => {
    if (!named) return;
    const before = box.current.value.trimEnd();
    const said = [before, named.name && `@${named.name}`].filter(Boolean).join(" ");
    put(said && `${said} `, said.length + 1);
  }, [named]);
  const link = (each) => {
    const node = box.current;
    const start = node.value.slice(0, node.selectionStart).lastIndexOf("#");
    links.current.add(each.id);
    setLinking(null);
    put(`${node.value.slice(0, start)}#${each.id} ${node.value.slice(node.selectionStart)}`, start + `#${each.id} `.length);
  };
  /** Addresses of conversations become their numbers. */
  const shortened = (said) =>
    said.replace(address(), (whole, number) => {
      links.current.add(Number(number));
      return `#${number}`;
    });
  const mark = (sign) => {
    const { selectionStart: from, selectionEnd: to, value } = box.current;
    put(`${value.slice(0, from)}${sign}${value.slice(from, to)}${sign}${value.slice(to)}`, to + sign.length * (from === to ? 1 : 2));
  };

  const upload = async (list) => {
    for (const file of list) {
      const key = Math.random();
      const change = (fields) => setFiles((all) => all.map((each) => (each.key === key ? { ...each, ...fields } : each)));
      setFiles((all) => [...all, { key, name: file.name, id: 0, error: "" }]);
      if (file.size > LARGEST_FILE) {
        change({ error: "larger than 25 MB" });
        continue;
      }
      try {
        const { id } = await sendUp("POST", `/conversations/${conversation}/comment-files`, holding(file));
        change({ id });
      } catch (fault) {
        change({ error: fault.message });
      }
    }
  };
  const drop = (file) => {
    setFiles((all) => all.filter((each) => each !== file));
    if (file.id) ask("DELETE", `/comment-files/${file.id}`);
  };
  const ready = files.filter((each) => each.id);
  const waits = files.some((each) => !each.id && !each.error);

  const choose = (each) => {
    const node = box.current;
    const cursor = node.selectionStart;
    const start = node.value.slice(0, cursor).lastIndexOf("@");
    setBegun(null);
    put(`${node.value.slice(0, start)}@${each.name} ${node.value.slice(cursor)}`, start + each.name.length + 2);
  };

  const send = (share = false) => {
    const said = shortened(text.trim());
    if (!(said || ready.length || editing) || waits) return;
    const names = (each) => said.includes(`@${each.name}`);
    // Of "@Tom Berg" and "@Tom" the longer one is meant.
    const longer = (each) => !(everybody ?? []).some((o) => names(o) && o.name.length > each.name.length && o.name.startsWith(each.name));
    const strange = editing ? [] : (everybody ?? []).filter((each) => !sees(each) && names(each) && longer(each));
    if (strange.length && share !== true) {
      setBegun(null);
      return setAsked(strange.map((each) => each.name).join(" and "));
    }
    const meant = [...people.filter(names), ...strange];
    setAsked("");
    (strange.length ? onShare : onSend)?.(
      said,
      meant.filter((each) => !each.team).map((each) => each.id),
      meant.filter((each) => each.team).map((each) => each.id),
      [...links.current].filter((number) => new RegExp(`#${number}(?!\\w)`).test(said)),
      ready.map((each) => each.id),
    );
    setFiles([]);
    if (editing) return onDone();
    setText("");
    setBegun(null);
    setLinking(null);
    links.current = new Set();
    box.current.blur();
    onDone?.();
  };

  const key = (event) => {
    if (found.length && ["ArrowDown", "ArrowUp", "Enter", "Tab"].includes(event.key)) {
      event.preventDefault();
      if (event.key === "ArrowDown") setAt((at + 1) % found.length);
      else if (event.key === "ArrowUp") setAt((at + found.length - 1) % found.length);
      else choose(found[at]);
    } else if (offered.length && (["ArrowDown", "ArrowUp", "Tab"].includes(event.key) || (event.key === "Enter" && picked >= 0))) {
      event.preventDefault();
      if (event.key === "ArrowDown") setPicked((picked + 1) % offered.length);
      else if (event.key === "ArrowUp") setPicked((picked + offered.length) % offered.length);
      else link(offered[Math.max(0, picked)]);
    } else if ((event.ctrlKey || event.metaKey) && MARKS[event.key]) {
      event.preventDefault();
      mark(MARKS[event.key]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (asked) setAsked("");
      else if (begun !== null) setBegun(null);
      else if (offered.length) setLinking(null);
      else if (onDone) onDone();
      else box.current.blur();
    }
  };

  const list = editing ? "edit-mention-list" : "mention-list";
  return h(
    "div",
    {
      // While something is written here, what would answer the customer stands back.
      className: text.trim() || files.length ? "comment-box written" : "comment-box",
      onDragOver: (event) => event.preventDefault(),
      onDrop: (event) => {
        event.preventDefault();
        upload([...event.dataTransfer.files]);
      },
    },
    h(
      "svg",
      { className: "icon", viewBox: "0 0 24 24", width: 16, height: 16, fill: "none", stroke: "currentColor", strokeWidth: 2, strokeLinecap: "round", strokeLinejoin: "round", "aria-hidden": true },
      h("path", { d: "M22 17a2 2 0 0 1-2 2H6.8a2 2 0 0 0-1.4.6l-2.2 2.2A.7.7 0 0 1 2 21.3V5a2 2 0 0 1 2-2h16a2 2 0 0 1 2 2zM7 8h10M7 12h7" }),
    ),
    h("textarea", {
      ref: box,
      rows: 1,
      value: text,
      placeholder: narrow ? "Comment to the team" : "Comment to your team only",
      "aria-label": editing ? "The comment" : "Comment, seen by your team only",
      "aria-controls": found.length > 0 || offered.length > 0 ? list : undefined,
      "aria-activedescendant": found.length > 0 ? `${list}-${at}` : picked >= 0 ? `${list}-${picked}` : undefined,
      "aria-autocomplete": "list",
      "data-key": editing ? undefined : "m",
      onChange: (event) => {
        setAsked("");
        setText(event.target.value);
        look(event.target);
      },
      onClick: (event) => look(event.target),
      onKeyDown: key,
      onPaste: (event) => {
        const pasted = [...(event.clipboardData?.files ?? [])];
        const words = event.clipboardData?.getData("text/plain") ?? "";
        if (pasted.length) {
          event.preventDefault();
          upload(pasted);
        } else if (address().test(words)) {
          event.preventDefault();
          const { selectionStart: from, selectionEnd: to, value } = event.target;
          const short = shortened(words);
          put(value.slice(0, from) + short + value.slice(to), from + short.length);
        }
      },
      onBlur: () => setTimeout(() => (setBegun(null), setLinking(null)), 150),
    }),
    h("input", {
      ref: picker,
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": editing ? "More files for the comment" : "Files for the comment",
      onChange: (event) => {
        upload([...event.target.files]);
        event.target.value = "";
      },
    }),
    h(
      "button",
      { type: "button", className: "attach", "aria-label": editing ? "Attach another file" : "Attach a file to the comment", title: "Attach a file to the comment", onClick: () => picker.current.click() },
      h(
        "svg",
        { className: "icon", viewBox: "0 0 24 24", width: 15, height: 15, fill: "none", stroke: "currentColor", strokeWidth: 2, strokeLinecap: "round", strokeLinejoin: "round", "aria-hidden": true },
        h("path", { d: "m16 6-8.4 8.6a2 2 0 0 0 2.8 2.8l8.4-8.6a4 4 0 1 0-5.6-5.6l-8.4 8.5a6 6 0 1 0 8.5 8.5l8.4-8.5" }),
      ),
    ),
    text.trim() || ready.length || editing
      ? h("button", { type: "button", className: "btn note", onMouseDown: (e) => e.preventDefault(), onClick: () => send() }, editing ? "Save" : "Comment")
      : h("kbd", { "aria-hidden": true }, "M"),
    text.trim() && h("small", { className: "hint desk-only", "aria-hidden": true }, "**bold**  _italic_  `code`  - list  > quote  # conversation"),
    files.length > 0 &&
      h(
        "div",
        { className: "files" },
        files.map((file) =>
          h(
            "span",
            { key: file.key, className: file.error ? "chip bad" : "chip" },
            h("span", { className: "el" }, file.name),
            h("small", null, file.error || (file.id ? "" : "uploading")),
            h("button", { type: "button", "aria-label": `Remove ${file.name}`, onClick: () => drop(file) }, "×"),
          ),
        ),
      ),
    offered.length > 0 &&
      h(
        "ul",
        { className: "float mention-list", id: list, role: "listbox", "aria-label": "Conversations" },
        offered.map((each, i) =>
          h(
            "li",
            {
              key: each.id,
              id: `${list}-${i}`,
              role: "option",
              "aria-selected": i === picked,
              className: i === picked ? "on" : "",
              onMouseDown: (event) => {
                event.preventDefault();
                link(each);
              },
            },
            h("span", { className: "el" }, each.subject),
            h("small", null, each.status),
          ),
        ),
      ),
    asked &&
      h(
        "div",
        { className: "float share-ask", role: "alertdialog", "aria-label": "Share the conversation" },
        closed === "open"
          ? h("p", null, h("b", null, `${asked} cannot see this conversation.`), ` Share it with ${asked}?`)
          : h("p", null, h("b", null, `${asked} cannot see this conversation.`), closed === "guest"
              ? " Ask somebody who can open its mailbox to share it."
              : " It is private: only people of its mailbox see it."),
        h(
          "div",
          { className: "bar" },
          closed === "open" && h("button", { type: "button", className: "btn pri", autoFocus: true, onClick: () => send(true) }, "Share and comment"),
          h("button", { type: "button", className: "btn", autoFocus: closed !== "open", onClick: () => (setAsked(""), box.current.focus()) }, "Change the comment"),
        ),
      ),
    found.length > 0 &&
      h(
        "ul",
        { className: "float mention-list", id: list, role: "listbox", "aria-label": "People and teams" },
        found.map((each, i) =>
          h(
            "li",
            {
              key: `${each.team}${each.id}`,
              id: `${list}-${i}`,
              role: "option",
              "aria-selected": i === at,
              className: i === at ? "on" : "",
              onMouseDown: (event) => {
                event.preventDefault();
                choose(each);
              },
            },
            h("span", { className: `mini face${each.colour}` }, each.initials),
            each.name,
            each.team && h("small", null, "Team"),
            each.away && h("small", null, `away until ${window.tandem.comes(new Date(each.away))}`),
          ),
        ),
      ),
  );
}

// A comment that was said, to be changed: the box stands here while the fold around it is open.
export function CommentEditor({ initial, conversation, ...rest }) {
  const place = useRef(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const fold = place.current.closest("details");
    const follow = () => setOpen(fold.open);
    fold.addEventListener("toggle", follow);
    return () => fold.removeEventListener("toggle", follow);
  }, []);
  useEffect(() => {
    const field = open && place.current.querySelector("textarea");
    if (!field) return;
    field.focus();
    field.selectionStart = field.selectionEnd = field.value.length;
  }, [open]);
  const done = () => {
    const fold = place.current.closest("details");
    fold.open = false;
    fold.querySelector("summary").focus({ preventScroll: true });
  };
  const pane = open ? document.querySelector(`.pane[data-pane="${conversation}"]`)?.dataset : undefined;
  return h(
    "div",
    { ref: place, className: "comment-editor" },
    open &&
      h(CommentBox, {
        ...rest, conversation, initial,
        mailbox: Number(pane?.mailbox ?? 0), seers: JSON.parse(pane?.seers || "[]"), closed: "guest", onDone: done,
      }),
  );
}
