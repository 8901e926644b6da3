import { createElement as h, useEffect, useReducer, useRef, useState } from "react";
import { sizeOf } from "../sizes.js";
import { icon } from "./icons.jsx";
import { addFiles, asLink, giveUp, listen, uploadsOf } from "./uploads.js";

// What hangs on a draft, what is on its way up, and what is to be decided about files that are too large for a mail.
const DAYS = [7, 30, 90, 365];
const USUAL = 30;

/** The files on their way: { uploads, add }. `onAttached` when one is attached; `onPut` takes a link, and answers whether. */
export function useUploads(draft, onAttached, onPut) {
  const [, again] = useReducer((n) => n + 1, 0);
  const latest = useRef({});
  latest.current = { onAttached, onPut };
  useEffect(() => listen(draft.id, { changed: again, attached: () => latest.current.onAttached(), put: (made) => latest.current.onPut(made) }), [draft.id]);
  return { uploads: uploadsOf(draft.id), add: (files) => addFiles(draft.id, files) };
}

/** What keeps the draft from being sent, in words; empty when nothing does. */
export const stillUp = (uploads) => {
  const waiting = uploads.find((each) => each.state !== "failed");
  if (!waiting) return "";
  if (waiting.state === "large") return `“${waiting.name}” is not in the mail yet: put it in as a link, or take it out.`;
  if (waiting.state === "half") return `“${waiting.name}” is only half up: choose it again, or take it out.`;
  return "A file is still on its way up.";
};

const percent = (each) => `${Math.floor(each.done * 100)} %`;
const said = (each) =>
  ({ up: percent(each), away: `${percent(each)}, goes on when the line is back`, half: `${percent(each)} is up`, ready: "is put into the text", failed: each.error, large: sizeOf(each.size) })[each.state];

export const DaysOf = ({ value, onChange, label }) =>
  h("select", { className: "select days", value, "aria-label": label, onChange: (event) => onChange(Number(event.target.value)) }, DAYS.map((days) => h("option", { key: days, value: days }, days === 365 ? "1 year" : `${days} days`)));

function Large({ draft, entry }) {
  const [days, setDays] = useState(USUAL);
  return h(
    "div",
    { className: "held large", role: "group", "aria-label": entry.name },
    h("p", null, `“${entry.name}” has ${sizeOf(entry.size)}, too much for a mail. It can go along as a link, and you see when it is opened.`),
    h(
      "div",
      { className: "bar" },
      h("label", { className: "days-line" }, "The link ends after ", h(DaysOf, { value: days, onChange: setDays, label: "The link ends after" })),
      h("span", { className: "grow" }),
      h("button", { type: "button", className: "btn", onClick: () => giveUp(draft.id, entry.key) }, "Take it out"),
      h("button", { type: "button", className: "btn pri", onClick: () => asLink(draft.id, entry.key, days) }, "Put in a link"),
    ),
  );
}

/** `onChoose` opens the choice of files. */
export function Attached({ draft, chips, uploads, onDetach, onChoose }) {
  const shown = uploads.filter((each) => each.state !== "large");
  const line = (each) =>
    h(
      "span",
      { key: each.key, className: each.state === "failed" ? "chip bad" : "chip", style: { "--done": `${Math.round(each.done * 100)}%` } },
      icon(each.linkDays ? "link" : "clip", 13),
      each.name,
      h("small", { role: each.state === "failed" || each.state === "away" ? "status" : undefined }, said(each)),
      each.state === "half" && h("button", { type: "button", className: "link wide", title: "The same file, as it was", onClick: onChoose }, "Choose it again"),
      h("button", { type: "button", "aria-label": `${each.state === "failed" ? "Dismiss" : "Stop"} ${each.name}`, onClick: () => giveUp(draft.id, each.key) }, icon("close", 12)),
    );
  return [
    (chips.length > 0 || shown.length > 0) &&
      h(
        "div",
        { key: "files", className: "files" },
        chips.map((file) =>
          h("span", { key: `a${file.id}`, className: "chip" }, icon("clip", 13), file.name, h("small", null, file.size), h("button", { type: "button", "aria-label": `Remove ${file.name}`, onClick: () => onDetach(file.id) }, icon("close", 12))),
        ),
        shown.map(line),
      ),
    ...uploads.filter((each) => each.state === "large").map((entry) => h(Large, { key: entry.key, draft, entry })),
  ];
}
