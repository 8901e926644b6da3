import { createElement as h, useEffect, useRef, useState } from "react";
import { MailPreview } from "../preview.jsx";
import { Folders } from "./folders.jsx";
import { icon } from "./icons.jsx";
import { beginning, findTemplates, foldersOf, inWords, liesIn, previewOf, readable } from "./templates.js";

// All templates that the person can use, with what each says to whom the mail goes. What nobody knows can be typed here,
// before it goes into the mail. `onChoose` gets the template and what was typed.
export function Picker({ draft, to, words, onChoose, onClose }) {
  const [sought, setSought] = useState(words);
  const [all, setAll] = useState(null); // with these words, in all folders
  const [folder, setFolder] = useState("");
  const [chosen, setChosen] = useState(0);
  const [shown, setShown] = useState(null); // { id, subject, text, html, missing } or { id, fault }
  const [given, setGiven] = useState({});
  const [fault, setFault] = useState("");
  const [reading, setReading] = useState(false); // on a phone: the preview stands over the list
  const dialog = useRef(null);
  const list = useRef(null);
  const missing = useRef({}); // the fields of each template that were empty when it was first shown
  const found = all?.filter((one) => liesIn(one, folder));
  const each = found?.[chosen] ?? null;
  const folders = foldersOf(all ?? []);

  useEffect(() => {
    dialog.current.showModal();
    dialog.current.querySelector("input")?.focus();
  }, []);

  useEffect(() => {
    let wanted = true;
    const ask = () =>
      findTemplates(sought).then(
        (these) => wanted && (setAll(these), setChosen(0), setFault("")),
        (refused) => wanted && setFault(refused.message),
      );
    const timer = setTimeout(ask, all === null ? 0 : 120);
    return () => ((wanted = false), clearTimeout(timer));
  }, [sought]);

  useEffect(() => {
    if (!each) return setShown(null);
    let wanted = true;
    const ask = () =>
      previewOf(draft, each.id, to, given).then(
        (rendered) => wanted && ((missing.current[each.id] ??= rendered.missing), setShown({ id: each.id, ...rendered })),
        (refused) => wanted && setShown({ id: each.id, fault: refused.message }),
      );
    const timer = setTimeout(ask, shown?.id === each.id ? 250 : 60);
    return () => ((wanted = false), clearTimeout(timer));
  }, [each?.id, each?.version, given]);

  const choose = (one) => one && onChoose(one, given);
  const keys = (event) => {
    event.stopPropagation(); // the composer's keys are not meant
    if (event.key === "Escape") {
      event.preventDefault();
      return reading ? setReading(false) : onClose();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found?.length && !event.target.closest(".picker-shown")) {
      event.preventDefault();
      setChosen((chosen + step + found.length) % found.length);
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      choose(each);
    }
  };
  useEffect(() => {
    list.current?.querySelector(".on")?.scrollIntoView({ block: "nearest" });
  }, [chosen, all, folder]);

  const first = to[0]?.name || to[0]?.address;
  const empty = (shown?.id === each?.id && missing.current[each?.id]) || [];
  const askable = empty.filter((name) => !name.startsWith("recipient."));
  return h(
    "dialog",
    { ref: dialog, className: reading ? "picker reading" : "picker", "aria-label": "Templates", onKeyDown: keys, onClose, onClick: (event) => event.target === dialog.current && onClose() },
    h(
      "div",
      { className: "picker-head" },
      icon("search", 16),
      h("input", {
        type: "search",
        value: sought,
        placeholder: "Find by name, folder or words",
        "aria-label": "Find a template",
        role: "combobox",
        "aria-expanded": true,
        "aria-controls": "picker-list",
        "aria-activedescendant": each ? `picked-${each.id}` : undefined,
        onChange: (event) => setSought(event.target.value),
      }),
      h("span", { className: "third", role: "status" }, found ? `${found.length} ${found.length === 1 ? "template" : "templates"}` : ""),
      h("button", { type: "button", className: "btn q sq", "aria-label": "Close", onClick: onClose }, icon("close", 15)),
    ),
    h(
      "div",
      { className: folders.length ? "picker-main foldered" : "picker-main" },
      folders.length > 0 && h(Folders, { folders, total: all.length, folder, onChoose: (path) => (setFolder(path), setChosen(0)) }),
      h(
        "ul",
        { ref: list, id: "picker-list", className: "picker-list", role: "listbox", "aria-label": "Templates" },
        found?.map((one, i) =>
          h(
            "li",
            {
              key: one.id,
              id: `picked-${one.id}`,
              role: "option",
              "aria-selected": i === chosen,
              className: i === chosen ? "on" : "",
              onClick: () => (setChosen(i), setReading(true)),
              onDoubleClick: () => choose(one),
            },
            h("span", { className: "picker-name" }, icon(one.kind === "snippet" ? "quote" : "template", 14), h("b", { className: "el" }, one.name)),
            h("small", { className: "el" }, readable(one.subject) || beginning(one)),
            h("small", { className: "el third" }, [one.folder, one.uses ? `used ${one.uses === 1 ? "once" : `${one.uses} times`}` : ""].filter(Boolean).join(" · ")),
          ),
        ),
      ),
      h(
        "section",
        { className: "picker-shown", "aria-label": "Preview", tabIndex: 0 },
        fault && h("p", { className: "form-problem", role: "alert" }, fault),
        found?.length === 0 &&
          (all.length
            ? h("p", { className: "third" }, "Nothing found in this folder. ", h("button", { type: "button", className: "link", onClick: () => setFolder("") }, "Look in all folders"))
            : sought
            ? h("p", { className: "third" }, "Nothing found. Look for other words.")
            : h("p", { className: "third" }, "There are no templates yet. ", h("a", { href: "/settings/templates/" }, "Write the first one"))),
        shown?.fault && h("p", { className: "form-problem", role: "status" }, shown.fault),
        each && shown?.id === each.id && !shown.fault && [
          empty.length > 0 &&
            h(
              "div",
              { key: "missing", className: "picker-missing" },
              h("p", null, empty.length === 1 ? "One field is empty." : `${empty.length} fields are empty.`, " It stands in brackets, and you are told before it is sent."),
              askable.map((name) =>
                h(
                  "label",
                  { key: name },
                  h("span", null, inWords(name)),
                  h("input", { className: "input", value: given[name] ?? "", onChange: (event) => setGiven({ ...given, [name]: event.target.value }) }),
                ),
              ),
            ),
          shown.subject && h("p", { key: "subject", className: "picker-subject" }, h("span", { className: "third" }, "Subject "), h("b", null, shown.subject)),
          each.formatted && shown.html
            ? h(MailPreview, { key: "mail", html: shown.html, styles: shown.styles })
            : h("p", { key: "text", className: "shown-text" }, shown.text),
        ],
      ),
    ),
    h(
      "div",
      { className: "picker-foot" },
      h("span", { className: "third el grow" }, first ? `Filled in for ${first}` : "Nobody to fill in for yet: add a recipient first, or fill in by hand"),
      reading && h("button", { type: "button", className: "btn phone-only", onClick: () => setReading(false) }, "Back to the list"),
      h("button", { type: "button", className: "btn pri", disabled: !each, onClick: () => choose(each) }, "Insert"),
    ),
  );
}
