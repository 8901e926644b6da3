import { createElement as h, useCallback, useEffect, useRef, useState } from "react";

// Writing a mail. The composer owns its recipients, subject and text from the moment it opens (the key of the draft
// says when to begin again); the server hears of changes and never writes them back, so fast typing loses nothing.
const SAVE_AFTER = 400;
const SAVE_AT_LATEST = 900;
const LARGEST_FILE = 25 * 1024 * 1024;

const ICONS = {
  clip: "m16 6-8.4 8.6a2 2 0 0 0 2.8 2.8l8.4-8.6a4 4 0 1 0-5.6-5.6l-8.4 8.5a6 6 0 1 0 8.5 8.5l8.4-8.5",
  trash: "M10 11v6M14 11v6M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6M3 6h18M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2",
  fold: "m6 9 6 6 6-6",
  close: "M18 6 6 18M6 6l12 12",
};
const icon = (name, size = 16) =>
  h("svg", { className: "icon", viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", strokeWidth: 2, strokeLinecap: "round", strokeLinejoin: "round", "aria-hidden": true }, h("path", { d: ICONS[name] }));

const ADDRESS = /^[^\s@,;<>]+@[^\s@,;<>]+$/;
/** "Ana Ribeiro <ana@northwind.example>", or the address alone. */
const parse = (typed) => {
  const match = /^\s*"?([^"<]*?)"?\s*<([^<>\s]+@[^<>\s]+)>\s*$/.exec(typed);
  if (match) return { name: match[1].trim(), address: match[2] };
  const bare = typed.trim();
  return ADDRESS.test(bare) ? { name: "", address: bare } : null;
};

function Recipients({ label, value, onChange, suggestions, onQuery, focus }) {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(false);
  const [at, setAt] = useState(0);
  const [wrong, setWrong] = useState(false);
  const input = useRef(null);
  const timer = useRef(0);
  const found = active && typed ? (suggestions ?? []).filter((s) => !value.some((v) => v.address === s.address)) : [];

  useEffect(() => {
    if (focus) input.current?.focus();
  }, [focus]);

  const add = (people) => {
    const fresh = people.filter((p) => !value.some((v) => v.address.toLowerCase() === p.address.toLowerCase()));
    if (fresh.length) onChange([...value, ...fresh.map(({ name, address }) => ({ name, address }))]);
    setTyped("");
    setWrong(false);
    onQuery?.("");
  };
  /** What is typed becomes recipients where it can; what cannot stays, marked. */
  const settle = () => {
    const parts = typed.split(/[,;\n]+/).filter((part) => part.trim());
    const people = parts.map(parse);
    if (!parts.length) return true;
    if (people.some((p) => !p)) {
      setWrong(true);
      return false;
    }
    add(people);
    return true;
  };
  const change = (event) => {
    const text = event.target.value;
    setTyped(text);
    setWrong(false);
    setAt(0);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onQuery?.(text), 60);
  };
  const key = (event) => {
    if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length);
    } else if (["Enter", "Tab", ",", ";"].includes(event.key) && typed.trim() && !event.metaKey && !event.ctrlKey) {
      if (found.length && event.key !== "," && event.key !== ";") {
        event.preventDefault();
        add([found[at]]);
      } else if (event.key !== "Tab") {
        event.preventDefault();
        settle();
      }
    } else if (event.key === "Backspace" && !typed && value.length) {
      onChange(value.slice(0, -1));
    } else if (event.key === "Escape" && found.length) {
      event.stopPropagation();
      setActive(false);
    }
  };
  const id = `to-${label}`;
  const list = `${id}-found`;
  return h(
    "div",
    { className: "line recipients", onClick: () => input.current?.focus() },
    h("span", { className: "line-label", id }, label),
    h(
      "div",
      { className: "chips" },
      value.map((each) =>
        h(
          "span",
          { key: each.address, className: "chip", title: each.address },
          each.name || each.address,
          h(
            "button",
            {
              type: "button",
              "aria-label": `Remove ${each.name || each.address}`,
              onClick: () => onChange(value.filter((v) => v !== each)),
            },
            icon("close", 12),
          ),
        ),
      ),
      h("input", {
        ref: input,
        value: typed,
        "aria-label": label,
        "aria-invalid": wrong,
        title: wrong ? "This is not an address." : undefined,
        role: "combobox",
        "aria-expanded": found.length > 0,
        "aria-controls": list,
        "aria-activedescendant": found.length ? `${list}-${at}` : undefined,
        "aria-autocomplete": "list",
        autoComplete: "off",
        spellCheck: false,
        className: wrong ? "wrong" : "",
        onChange: change,
        onKeyDown: key,
        onFocus: () => setActive(true),
        onBlur: () => {
          settle();
          setTimeout(() => setActive(false), 150);
        },
      }),
    ),
    found.length > 0 &&
      h(
        "ul",
        { className: "float suggestions", id: list, role: "listbox", "aria-label": "Matching addresses" },
        found.map((each, i) =>
          h(
            "li",
            {
              key: each.address,
              id: `${list}-${i}`,
              role: "option",
              "aria-selected": i === at,
              className: i === at ? "on" : "",
              onMouseDown: (event) => {
                event.preventDefault();
                add([each]);
              },
            },
            h("span", { className: `mini face${each.face.colour}` }, each.face.initials),
            h("span", { className: "el" }, each.name || each.address),
            each.name && h("small", { className: "el" }, each.address),
          ),
        ),
      ),
  );
}

export function Composer(props) {
  // A new key is a new composer: everything below begins again from the draft.
  return h(Writing, { ...props, key: props.draft.key });
}

function Writing({ draft, files, status, suggestions, ...on }) {
  const [to, setTo] = useState(draft.to);
  const [cc, setCc] = useState(draft.cc);
  const [bcc, setBcc] = useState(draft.bcc);
  const [showCc, setShowCc] = useState(draft.cc.length > 0 || draft.bcc.length > 0);
  const [subject, setSubject] = useState(draft.subject);
  const [uploads, setUploads] = useState([]);
  const [missing, setMissing] = useState("");
  const [dirty, setDirty] = useState(false);
  const text = useRef(null);
  const picker = useRef(null);
  const fields = useRef(null);
  const timer = useRef(0);
  const since = useRef(0);
  const done = useRef(false); // whether "Send and done" was pressed last
  const sent = useRef(0); // saves sent up so far; the server tells which of them it has stored
  const conversation = draft.conversation_id || null;
  const chips = files?.[draft.id] ?? [];
  const told = status?.[draft.id] ?? {};

  fields.current = () => ({ to, cc, bcc, subject, text: text.current?.value ?? draft.text, serial: sent.current });

  const save = useCallback(() => {
    clearTimeout(timer.current);
    if (!since.current) return;
    since.current = 0;
    setDirty(false);
    sent.current += 1;
    on.onSave?.(draft.id, fields.current());
  }, []);
  const touch = () => {
    const now = Date.now();
    since.current ||= now;
    if (!dirty) setDirty(true);
    setMissing("");
    clearTimeout(timer.current);
    timer.current = setTimeout(save, Math.max(0, Math.min(SAVE_AFTER, since.current + SAVE_AT_LATEST - now)));
  };
  const changed = (set) => (value) => {
    set(value);
    touch();
  };

  useEffect(() => {
    window.addEventListener("pagehide", save);
    return () => {
      window.removeEventListener("pagehide", save);
      save();
    };
  }, []);

  const grow = () => {
    const node = text.current;
    if (!node || !conversation) return;
    node.style.height = "auto";
    node.style.height = `${Math.min(node.scrollHeight + 2, window.innerHeight * 0.42)}px`;
  };
  useEffect(grow, []);

  // A colleague took the draft over: say what stands here, for what is not saved must not be lost.
  useEffect(() => {
    if (!told.taken) return;
    clearTimeout(timer.current);
    since.current = 0;
    window.tandem?.hushKeys?.();
    on.onYield?.(draft.id, fields.current());
  }, [told.taken]);

  const send = (thenDone, anyway) => {
    done.current = thenDone;
    if (!to.length && !cc.length && !bcc.length) {
      setMissing("Add a recipient first.");
      return;
    }
    if (uploads.some((each) => !each.error)) {
      setMissing("A file is still on its way up.");
      return;
    }
    clearTimeout(timer.current);
    since.current = 0;
    if (thenDone && conversation) window.tandem?.leave?.(conversation);
    on.onSend?.(draft.id, fields.current(), thenDone, anyway);
  };

  const upload = async (list) => {
    for (const file of list) {
      const id = Math.random();
      const put = (change) => setUploads((all) => all.map((u) => (u.id === id ? { ...u, ...change } : u)));
      setUploads((all) => [...all, { id, name: file.name, done: 0, error: "" }]);
      if (file.size > LARGEST_FILE) {
        put({ error: "larger than 25 MB" });
        continue;
      }
      const form = new FormData();
      form.append("file", file);
      const token = await window.tandem.csrf();
      await new Promise((done) => {
        const request = new XMLHttpRequest();
        request.open("POST", `/api/v1/drafts/${draft.id}/attachments`);
        request.setRequestHeader("x-csrf-token", token);
        request.upload.onprogress = (event) => put({ done: event.loaded / Math.max(1, event.total) });
        request.onload = () => {
          if (request.status < 300) {
            setUploads((all) => all.filter((u) => u.id !== id));
            on.onAttached?.(draft.id);
          } else {
            let words = "refused";
            try {
              words = JSON.parse(request.responseText).message || words;
            } catch {
              words = `refused (${request.status})`;
            }
            put({ error: words });
          }
          done();
        };
        request.onerror = () => {
          put({ error: "the connection broke" });
          done();
        };
        request.send(form);
      });
    }
  };

  const key = (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      send(event.shiftKey && Boolean(conversation), false);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      save();
      document.activeElement?.blur();
    }
  };

  const refused = told.error || told.theirs || told.answered || told.taken;
  const saved = dirty || (sent.current > Number(told.serial || 0) && !refused) ? "Saving" : told.saved;
  return h(
    "section",
    {
      className: conversation ? "composer docked" : "composer",
      "aria-label": draft.title,
      "data-composer": draft.id,
      onKeyDown: key,
      onDragOver: (event) => event.preventDefault(),
      onDrop: (event) => {
        event.preventDefault();
        upload([...event.dataTransfer.files]);
      },
    },
    h(
      "div",
      { className: "composer-head" },
      h("span", { className: "composer-title" }, draft.title),
      h("span", { className: "third el", title: draft.sender }, `from ${draft.mailbox}`),
      h("span", { className: "grow" }),
      !showCc && h("button", { type: "button", className: "link", onClick: () => setShowCc(true) }, "Cc Bcc"),
      h(
        "button",
        {
          type: "button",
          className: "btn q sq",
          "aria-label": "Close, and keep the draft",
          title: "Close, and keep the draft",
          onClick: () => {
            save();
            on.onFold?.(draft.id);
          },
        },
        icon(conversation ? "fold" : "close"),
      ),
    ),
    h(Recipients, { label: "To", value: to, onChange: changed(setTo), suggestions, onQuery: on.onQuery, focus: !conversation && !draft.to.length }),
    showCc && h(Recipients, { label: "Cc", value: cc, onChange: changed(setCc), suggestions, onQuery: on.onQuery }),
    showCc && h(Recipients, { label: "Bcc", value: bcc, onChange: changed(setBcc), suggestions, onQuery: on.onQuery }),
    (!conversation || draft.kind === "forward") &&
      h(
        "label",
        { className: "line" },
        h("span", { className: "line-label" }, "Subject"),
        h("input", { className: "subject", value: subject, "aria-label": "Subject", onChange: (event) => changed(setSubject)(event.target.value) }),
      ),
    h("textarea", {
      ref: text,
      className: "composer-text",
      defaultValue: draft.text,
      "aria-label": "Text",
      "data-key": conversation ? "r" : undefined,
      placeholder: "Write your mail",
      autoFocus: Boolean(conversation) && window.tandem?.wantsFocus === true,
      onInput: () => {
        grow();
        touch();
      },
      onBlur: save,
      onPaste: (event) => {
        const pasted = [...(event.clipboardData?.files ?? [])];
        if (pasted.length) {
          event.preventDefault();
          upload(pasted);
        }
      },
    }),
    (chips.length > 0 || uploads.length > 0) &&
      h(
        "div",
        { className: "files" },
        chips.map((file) =>
          h(
            "span",
            { key: file.id, className: "chip" },
            icon("clip", 13),
            file.name,
            h("small", null, file.size),
            h("button", { type: "button", "aria-label": `Remove ${file.name}`, onClick: () => on.onDetach?.(draft.id, file.id) }, icon("close", 12)),
          ),
        ),
        uploads.map((file) =>
          h(
            "span",
            { key: file.id, className: file.error ? "chip bad" : "chip", style: { "--done": `${Math.round(file.done * 100)}%` } },
            icon("clip", 13),
            file.name,
            h("small", null, file.error || `${Math.round(file.done * 100)} %`),
            file.error && h("button", { type: "button", "aria-label": `Dismiss ${file.name}`, onClick: () => setUploads((all) => all.filter((u) => u !== file)) }, icon("close", 12)),
          ),
        ),
      ),
    draft.copy_to && h("div", { className: "copy-line third" }, `A copy goes to ${draft.copy_to}, which the recipients do not see.`),
    told.theirs &&
      h(
        "div",
        { className: "two-texts", role: "alert" },
        h("p", null, h("b", null, "Somebody saved another text meanwhile."), " Both are kept. Which one goes on?"),
        h("div", { className: "two" }, h("pre", { "aria-label": "Their text" }, told.theirs), h("pre", { "aria-label": "Your text" }, fields.current().text || "(empty)")),
        h(
          "div",
          { className: "bar" },
          h("button", { type: "button", className: "btn", onClick: () => { since.current = 0; clearTimeout(timer.current); on.onKeep?.(draft.id, "theirs", {}); } }, "Take theirs"),
          h("button", { type: "button", className: "btn", onClick: () => on.onKeep?.(draft.id, "mine", fields.current()) }, "Keep mine"),
        ),
      ),
    told.answered &&
      h(
        "div",
        { className: "held", role: "alert" },
        h("p", null, told.answered),
        (told.came ?? []).slice(-3).map((each, i) =>
          h(
            "blockquote",
            { key: i, className: "came" },
            h("span", { className: `mini face${each.face.colour}`, "aria-hidden": true }, each.face.initials),
            h("span", { className: "came-text" }, h("b", null, each.who), " ", each.text),
            each.message_id > 0 &&
              h("button", { type: "button", className: "btn", onClick: () => window.tandem.lookAt(each.message_id) }, "Look at it"),
          ),
        ),
        h("div", { className: "bar" }, h("button", { type: "button", className: "btn", onClick: () => send(done.current, true) }, "Send anyway")),
      ),
    (missing || (told.error && !told.theirs)) && h("div", { className: "composer-error", role: "alert" }, missing || told.error),
    h(
      "div",
      { className: "bar" },
      h("input", {
        ref: picker,
        type: "file",
        multiple: true,
        hidden: true,
        "aria-label": "Files to attach",
        onChange: (event) => {
          upload([...event.target.files]);
          event.target.value = "";
        },
      }),
      h("button", { type: "button", className: "btn q", onClick: () => picker.current.click(), "aria-label": "Attach" }, icon("clip", 14), h("span", { className: "desk-only" }, "Attach")),
      h("button", { type: "button", className: "btn q sq", "aria-label": "Discard the draft", title: "Discard the draft", onClick: () => { clearTimeout(timer.current); since.current = 0; on.onDiscard?.(draft.id); } }, icon("trash", 15)),
      h("span", { className: "grow" }),
      h("span", { className: "third saved", role: "status" }, saved),
      h("button", { type: "button", className: conversation ? "btn" : "btn pri", onClick: () => send(false, false) }, "Send"),
      conversation && h("button", { type: "button", className: "btn pri", onClick: () => send(true, false) }, "Send and done"),
    ),
  );
}
