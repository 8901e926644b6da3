import { createElement as h, useEffect, useRef, useState } from "react";
import { get, send } from "../api.js";
import { sizeOf } from "../sizes.js";
import { DaysOf } from "./attached.jsx";
import { icon } from "./icons.jsx";

// Files that are there already: documents of the organisation, and what hung on earlier mail of this conversation or of
// one that is found by words. A document goes along as it is now, or as a link whose readers are counted.
const MOST_FOUND = 8;

/** The files of a conversation's mail, the newest first. */
const filesIn = async (id) => {
  const { row, messages } = await get(`/conversations/${id}`);
  return messages.reverse().flatMap((message) =>
    message.attachments
      .filter((each) => !each.inline)
      .map((each) => ({ ...each, key: `${message.id}.${each.position}`, message_id: message.id, subject: row.subject, who: message.sender?.name || message.sender?.address || "us" })),
  );
};
/** Those with these words in their own name first, then those of mail that holds them. */
const findFiles = async (draft, words) => {
  if (!words.trim()) return draft.conversation_id ? filesIn(draft.conversation_id) : [];
  const [named, { items }] = await Promise.all([get(`/files?q=${encodeURIComponent(words)}`), get(`/search?q=${encodeURIComponent(`${words} has:attachment`)}`)]);
  const found = await Promise.all(items.slice(0, MOST_FOUND).map(({ row }) => filesIn(row.id)));
  const all = [...named.map((each) => ({ ...each, key: `${each.message_id}.${each.position}`, who: each.sender?.name || each.sender?.address || "us" })), ...found.flat()];
  return [...new Map(all.map((each) => [each.key, each])).values()];
};

/** `onAttached` when a file was attached; `onPut` gets a link, { text, html }. */
export function Library({ draft, onAttached, onPut, onClose }) {
  const [tab, setTab] = useState("documents");
  const [words, setWords] = useState("");
  const [found, setFound] = useState(null);
  const [said, setSaid] = useState("");
  const [fault, setFault] = useState("");
  const [days, setDays] = useState(30);
  const dialog = useRef(null);

  useEffect(() => {
    dialog.current.showModal();
    dialog.current.querySelector("input")?.focus();
  }, []);
  useEffect(() => {
    let wanted = true;
    const look = () =>
      (tab === "documents" ? get(`/documents?q=${encodeURIComponent(words)}`) : findFiles(draft, words)).then(
        (all) => wanted && (setFound(all), setFault("")),
        (refused) => wanted && setFault(refused.message),
      );
    const timer = setTimeout(look, found === null ? 0 : 200);
    return () => ((wanted = false), clearTimeout(timer));
  }, [tab, words]);

  const attempt = async (deed) => {
    setFault("");
    try {
      await deed();
    } catch (refused) {
      setFault(refused.message);
    }
  };
  const attach = (name, path, body) =>
    attempt(async () => {
      await send("POST", `/drafts/${draft.id}/${path}`, body);
      setSaid(`${name} is attached`);
      onAttached();
    });
  const link = (each) => attempt(async () => onPut(await send("POST", `/drafts/${draft.id}/documents/${each.id}/link`, { days })));
  const choose = (name) => () => name !== tab && (setFound(null), setSaid(""), setTab(name));
  const keys = (event) => {
    event.stopPropagation(); // the composer's keys are not meant
    if (event.key === "Escape") (event.preventDefault(), onClose());
  };

  const line = (key, name, notes, ...buttons) =>
    h("li", { key }, icon("file", 15), h("span", { className: "line-text" }, h("b", { className: "el" }, name), h("small", { className: "el" }, notes)), ...buttons);
  const documents = () =>
    found.map((each) => {
      const [newest] = each.versions;
      const notes = [each.folder, newest.filename, sizeOf(newest.size), each.versions.length > 1 && `version ${newest.number}`].filter(Boolean).join(" · ");
      return line(
        each.id,
        each.name,
        notes,
        h("button", { key: "attach", type: "button", className: "btn", "aria-label": `Attach ${each.name}`, onClick: () => attach(each.name, `documents/${each.id}`, null) }, "Attach"),
        h("button", { key: "link", type: "button", className: "btn", "aria-label": `Link to ${each.name}`, title: `Leads to this version for ${days} days; you see how often it was opened`, onClick: () => link(each) }, "Link"),
      );
    });
  const files = () =>
    found.map((each) =>
      line(
        each.key,
        each.filename || "attachment",
        `${sizeOf(each.size)} · ${each.who} · ${each.subject}`,
        h("button", { key: "attach", type: "button", className: "btn", "aria-label": `Attach ${each.filename || "attachment"}`, onClick: () => attach(each.filename || "attachment", "attachments-from-mail", { message_id: each.message_id, position: each.position }) }, "Attach"),
      ),
    );
  const nothing =
    tab === "documents"
      ? words ? "Nothing found. Look for other words." : "No documents yet. They are uploaded in the settings, under Documents."
      : words ? "No file has this name, and no mail with these words has a file." : "No mail of this conversation has a file. Look in others by their words.";
  return h(
    "dialog",
    { ref: dialog, className: "picker library", "aria-label": "Files that are there", onKeyDown: keys, onClose, onClick: (event) => event.target === dialog.current && onClose() },
    h(
      "div",
      { className: "picker-head" },
      icon("search", 16),
      h("input", { type: "search", value: words, placeholder: tab === "documents" ? "Find by name, folder or file" : "Find by name, or by words of the mail", "aria-label": "Find a file", onChange: (event) => setWords(event.target.value) }),
      h("button", { type: "button", className: "btn q sq", "aria-label": "Close", onClick: onClose }, icon("close", 15)),
    ),
    h(
      "div",
      { className: "library-tabs", role: "group", "aria-label": "Where from" },
      [["documents", "Documents"], ["mail", "Earlier mail"]].map(([name, label]) => h("button", { key: name, type: "button", className: name === tab ? "btn on" : "btn q", "aria-pressed": name === tab, onClick: choose(name) }, label)),
    ),
    fault && h("p", { className: "form-problem", role: "alert" }, fault),
    h("ul", { className: "lines library-list", "aria-label": "Files" }, found && (tab === "documents" ? documents() : files())),
    found?.length === 0 && h("p", { className: "third library-none" }, nothing),
    h("div", { className: "picker-foot" }, tab === "documents" && h("label", { className: "days-line third" }, "Links end after ", h(DaysOf, { value: days, onChange: setDays, label: "Links end after" })), h("span", { className: "third el grow", role: "status" }, said), h("button", { type: "button", className: "btn pri", onClick: onClose }, "Done")),
  );
}
