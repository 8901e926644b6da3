import { createElement as h, useEffect, useRef, useState } from "react";

// The comment box owns its text. "@" completes people and teams; what was chosen is remembered by name, so that a
// mention that was deleted again mentions nobody.
export function CommentBox({ people: everybody, mailbox, onSend }) {
  // Only who can open the mailbox can be mentioned in it.
  const people = (everybody ?? []).filter((each) => each.mailboxes.includes(mailbox));
  const box = useRef(null);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => setNarrow(matchMedia("(max-width: 759px)").matches), []);
  const [text, setText] = useState("");
  const [begun, setBegun] = useState(null);
  const [at, setAt] = useState(0);

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
  };

  const choose = (each) => {
    const node = box.current;
    const cursor = node.selectionStart;
    const start = node.value.slice(0, cursor).lastIndexOf("@");
    const next = `${node.value.slice(0, start)}@${each.name} ${node.value.slice(cursor)}`;
    setText(next);
    setBegun(null);
    requestAnimationFrame(() => {
      node.focus();
      node.selectionStart = node.selectionEnd = start + each.name.length + 2;
    });
  };

  const send = () => {
    const said = text.trim();
    if (!said) return;
    const meant = people.filter((each) => said.includes(`@${each.name}`));
    onSend?.(
      said,
      meant.filter((each) => !each.team).map((each) => each.id),
      meant.filter((each) => each.team).map((each) => each.id),
    );
    setText("");
    setBegun(null);
    box.current.blur();
  };

  const key = (event) => {
    if (found.length && ["ArrowDown", "ArrowUp", "Enter", "Tab"].includes(event.key)) {
      event.preventDefault();
      if (event.key === "ArrowDown") setAt((at + 1) % found.length);
      else if (event.key === "ArrowUp") setAt((at + found.length - 1) % found.length);
      else choose(found[at]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (begun !== null) setBegun(null);
      else box.current.blur();
    }
  };

  const list = "mention-list";
  return h(
    "div",
    { className: "comment-box" },
    h(
      "svg",
      { className: "icon", viewBox: "0 0 24 24", width: 16, height: 16, fill: "none", stroke: "currentColor", strokeWidth: 2, strokeLinecap: "round", strokeLinejoin: "round", "aria-hidden": true },
      h("path", { d: "M22 17a2 2 0 0 1-2 2H6.8a2 2 0 0 0-1.4.6l-2.2 2.2A.7.7 0 0 1 2 21.3V5a2 2 0 0 1 2-2h16a2 2 0 0 1 2 2zM7 8h10M7 12h7" }),
    ),
    h("textarea", {
      ref: box,
      rows: Math.min(8, text.split("\n").length + Math.floor(text.length / (narrow ? 32 : 70))),
      value: text,
      placeholder: narrow ? "Comment to the team" : "Comment, seen by your team only",
      "aria-label": "Comment, seen by your team only",
      "aria-controls": found.length > 0 ? list : undefined,
      "aria-activedescendant": found.length > 0 ? `${list}-${at}` : undefined,
      "aria-autocomplete": "list",
      "data-key": "m",
      onChange: (event) => {
        setText(event.target.value);
        look(event.target);
      },
      onClick: (event) => look(event.target),
      onKeyDown: key,
      onBlur: () => setTimeout(() => setBegun(null), 150),
    }),
    text.trim()
      ? h("button", { type: "button", className: "btn note", onMouseDown: (e) => e.preventDefault(), onClick: send }, "Comment")
      : h("kbd", { "aria-hidden": true }, "M"),
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
          ),
        ),
      ),
  );
}
