import { createElement as h, useEffect, useRef, useState } from "react";
import { holding, send } from "./api.js";

// HTML from elsewhere, as a file, a zip with its pictures, or a source that is pasted. It is read by the server; `onMade` gets
// what came of it, to be looked at and saved.
const LARGEST = 10 * 1024 * 1024;

export function TemplateImport({ onMade, onClose }) {
  const [source, setSource] = useState("");
  const [reading, setReading] = useState(""); // the name of what is being read
  const [fault, setFault] = useState("");
  const [over, setOver] = useState(false);
  const box = useRef(null);
  const picker = useRef(null);
  const stands = useRef(true);

  useEffect(() => {
    box.current.querySelector("button").focus();
    return () => (stands.current = false);
  }, []);

  const read = async (file, name) => {
    setFault("");
    if (file.size > LARGEST) return setFault("This is larger than 10 MB. Leave out what does not belong to the template.");
    setReading(name);
    try {
      const made = await send("POST", "/template-imports", holding(file));
      if (stands.current) onMade(made);
    } catch (refused) {
      if (stands.current) setFault(refused.message);
    } finally {
      if (stands.current) setReading("");
    }
  };
  const chosen = (files) => files.length && read(files[0], files[0].name);
  const paste = () => read(new File([source], "pasted.html", { type: "text/html" }), "what was pasted");

  return h(
    "div",
    { ref: box, className: "form template-import" },
    fault && h("p", { className: "form-problem", role: "alert" }, fault),
    h(
      "div",
      {
        className: over ? "drop-here over" : "drop-here",
        onDragOver: (event) => (event.preventDefault(), setOver(true)),
        onDragLeave: () => setOver(false),
        onDrop: (event) => (event.preventDefault(), setOver(false), chosen([...event.dataTransfer.files])),
      },
      h("button", { type: "button", className: "btn", disabled: Boolean(reading), onClick: () => picker.current.click() }, "Choose a file"),
      h("span", { className: "third" }, "or drop it here: an HTML file, or a zip with it and its pictures"),
      h("input", {
        ref: picker,
        type: "file",
        accept: ".html,.htm,.zip,text/html,application/zip",
        hidden: true,
        "aria-label": "HTML file or zip",
        onChange: (event) => (chosen([...event.target.files]), (event.target.value = "")),
      }),
    ),
    h(
      "label",
      { className: "field" },
      h("span", { className: "label" }, "Or paste the source"),
      h("textarea", { className: "input source-text", rows: 6, spellCheck: false, value: source, placeholder: "<html>", onChange: (event) => setSource(event.target.value) }),
    ),
    h(
      "div",
      { className: "form-foot" },
      h("button", { type: "button", className: "btn pri", disabled: Boolean(reading) || !source.trim(), onClick: paste }, "Read it"),
      h("button", { type: "button", className: "btn", onClick: onClose }, "Cancel"),
      h("span", { className: "third el", role: "status" }, reading && `Reading ${reading}`),
    ),
    h("p", { className: "hint" }, "Nothing is saved yet: you see first how it looks and what was found in it."),
  );
}
