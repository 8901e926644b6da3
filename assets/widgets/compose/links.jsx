import { createElement as h, useEffect, useRef, useState } from "react";
import { get, send } from "../api.js";
import { icon } from "./icons.jsx";
import { inWords } from "./templates.js";

// Links that the organisation keeps: an appointment, a survey, a room. Each is filled in for whom the mail goes to; what
// nobody knows of them is asked for here, for a link with a hole in it leads nowhere.
export const KINDS = {
  appointment: ["clock", "Appointment"],
  survey: ["bullets", "Survey"],
  landing_page: ["page", "Landing page"],
  deal_room: ["table", "Deal room"],
  conference: ["video", "Conference"],
};

/** Those with all these words, by name. Throws an Error whose message is what to say. */
export const findLinks = (words) => get(`/links?q=${encodeURIComponent(words)}`);

/** A link for whom this draft goes to: { name, url, text, html, missing }; while something is missing, it has no url. */
export const fillInLink = (draft, id, to, given = {}) => send("POST", `/drafts/${draft.id}/links/${id}`, { to, given });

const host = (link) => link.url.replace(/^https?:\/\//i, "").split(/[/?#]/)[0];

/** `asked`: false, true (the list), or a link that lacks something: { link, missing }. `onPut` gets what was filled in;
 * `onInvite`, if there is one, the address of a conference that a meeting is to be held at. */
export function Links({ draft, to, asked, onAsk, onPut, onInvite }) {
  const [found, setFound] = useState(null);
  const [given, setGiven] = useState({});
  const [fault, setFault] = useState("");
  const box = useRef(null);
  const button = useRef(null);
  const open = asked !== false;
  const lacking = open && asked !== true ? asked : null;

  useEffect(() => {
    if (!open) return;
    setFault("");
    const outside = (event) => box.current?.parentElement.contains(event.target) || onAsk(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  useEffect(() => {
    if (!open || lacking) return;
    let wanted = true;
    findLinks("").then((all) => wanted && setFound(all), (refused) => wanted && setFault(refused.message));
    return () => (wanted = false);
  }, [open, lacking === null]);
  useEffect(() => {
    if (open) box.current?.querySelector(lacking ? "input" : ".menu-item")?.focus();
  }, [open, lacking, found]);

  const choose = async (link, values = {}, invite = asked.invite) => {
    try {
      const filled = await fillInLink(draft, link.id, to, values);
      if (filled.missing.length) return setGiven(values), onAsk({ link, missing: filled.missing, invite });
      setGiven({});
      if (invite) onInvite(filled.url);
      else onPut(filled);
    } catch (refused) {
      setFault(refused.message);
    }
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      onAsk(false);
      return button.current.focus();
    }
    if (lacking && event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      event.stopPropagation();
      return choose(lacking.link, given);
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const items = [...box.current.querySelectorAll(".menu-item")];
    if (!step || !items.length) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  };

  return h(
    "span",
    { className: "link-menu" },
    h(
      "button",
      { ref: button, type: "button", className: "btn q", "aria-label": "Saved link", title: "Put in an appointment, a survey, a room", "aria-haspopup": "dialog", "aria-expanded": open, onClick: () => onAsk(!open) },
      icon("link", 14),
      h("span", { className: "desk-only" }, "Link"),
    ),
    open &&
      h(
        "div",
        { ref: box, className: "float link-menu-box", role: "dialog", "aria-label": "Saved links", onKeyDown: keys },
        fault && h("p", { className: "refusal", role: "alert" }, fault),
        lacking &&
          h(
            "div",
            { className: "picker-missing" },
            h("p", null, h("b", null, lacking.link.name), lacking.missing.length === 1 ? " needs one thing more." : " needs a few things more."),
            lacking.missing.map((name) =>
              h(
                "label",
                { key: name },
                h("span", null, inWords(name)),
                h("input", { className: "input", value: given[name] ?? "", onChange: (event) => setGiven({ ...given, [name]: event.target.value }) }),
              ),
            ),
            h("div", { className: "bar" }, h("button", { type: "button", className: "btn", onClick: () => onAsk(true) }, "Back"), h("button", { type: "button", className: "btn pri", onClick: () => choose(lacking.link, given) }, "Insert")),
          ),
        !lacking && found?.length === 0 && h("p", { className: "third" }, "No links yet. Admins save them in the settings, under Links."),
        !lacking &&
          found?.flatMap((link) => [
            h(
              "button",
              { key: link.id, type: "button", className: "menu-item", onClick: () => choose(link) },
              icon(KINDS[link.kind][0], 15),
              h("span", { className: "line-text" }, h("span", { className: "el" }, link.name), h("small", { className: "el" }, `${KINDS[link.kind][1]} · ${host(link)}`)),
            ),
            link.kind === "conference" &&
              onInvite &&
              h(
                "button",
                { key: `${link.id}.meeting`, type: "button", className: "menu-item", onClick: () => choose(link, {}, true) },
                icon("calendar", 15),
                h("span", { className: "line-text" }, h("span", { className: "el" }, `Meet in ${link.name}`), h("small", { className: "el" }, "As an invitation")),
              ),
          ]),
      ),
  );
}
