import { createElement as h, useEffect, useRef, useState } from "react";
import { icon } from "./icons.jsx";

// To, Cc and Bcc: chips, completion, and what is pasted as a list.
const ADDRESS = /^[^\s@,;<>]+@[^\s@,;<>]+$/;
/** "Ana Ribeiro <ana@northwind.example>", or the address alone. */
const parse = (typed) => {
  const match = /^\s*"?([^"<]*?)"?\s*<([^<>\s]+@[^<>\s]+)>\s*$/.exec(typed);
  if (match) return { name: match[1].trim(), address: match[2] };
  const bare = typed.trim();
  return ADDRESS.test(bare) ? { name: "", address: bare } : null;
};
/** Answers come later than keys: one for what was typed before, here or in another field, counts only where it still fits. */
const fits = (typed, { name, address, asked }) => {
  const now = typed.trim();
  const whom = `${name} ${address}`.toLowerCase();
  return asked === now || now.toLowerCase().split(/\s+/).every((word) => whom.includes(word));
};

export function Recipients({ label, value, onChange, suggestions, onQuery, focus }) {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(false);
  const [at, setAt] = useState(0);
  const [wrong, setWrong] = useState(false);
  const input = useRef(null);
  const timer = useRef(0);
  const found = active && typed ? (suggestions ?? []).filter((s) => fits(typed, s) && !value.some((v) => v.address === s.address)) : [];

  useEffect(() => {
    if (focus) input.current?.focus();
  }, [focus]);

  const add = (people) => {
    const fresh = people.filter((p) => !value.some((v) => v.address.toLowerCase() === p.address.toLowerCase()));
    if (fresh.length) onChange([...value, ...fresh.map(({ name, address }) => ({ name, address }))]);
    setTyped("");
    setWrong(false);
    clearTimeout(timer.current);
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
