import { Plugin, PluginKey } from "@tiptap/pm/state";
import { createElement as h, useEffect, useRef, useState } from "react";
import { icon } from "./icons.jsx";

// A sign at the start of a word offers what is found by the words typed after it. The cursor stays in the text; the
// arrows walk, Enter takes, Escape leaves the sign as it is.

/** Where the sign stands before the cursor: { from, to, words }, or null. */
const begunAt = (state, sign) => {
  const { empty, $from } = state.selection;
  if (!empty || !$from.parent.isTextblock || $from.parent.type.name === "codeBlock") return null;
  const before = $from.parent.textBetween(Math.max(0, $from.parentOffset - 60), $from.parentOffset, "\n", "\ufffc");
  const match = sign.exec(before);
  return match && { from: $from.pos - (match[1] ?? "").length - 1, to: $from.pos, words: match[1] ?? "" };
};

/**
 * `sign` is a pattern whose first group are the words; `find` promises what they find; `draw` says of each its picture,
 * name, hint and folder. `onTake` gets the chosen one when sign and words are gone. `more`, where there is one, is the
 * last line of all: { words(found), take(words) }. `id` and `label` name the list.
 */
export function OfferMenu({ editor, id, label, sign, find, draw, onTake, more }) {
  const begun = (state) => begunAt(state, sign);
  const [at, setAt] = useState(null); // the sign that stands before the cursor
  const [found, setFound] = useState(null);
  const [chosen, setChosen] = useState(0);
  const hasty = useRef(false); // Enter came before what was typed had been looked for
  const left = useRef(-1); // the sign that was left alone with Escape
  const latest = useRef({});
  const list = useRef(null);
  const open = at !== null && found !== null && (found.length > 0 || (Boolean(more) && !at.words));

  useEffect(() => {
    const look = ({ transaction }) => {
      const now = begun(editor.state);
      left.current = left.current < 0 ? -1 : transaction.mapping.map(left.current);
      if (!now) left.current = -1;
      // Moving the cursor behind a sign that stands there anyway offers nothing.
      setAt((before) => (!now || now.from === left.current || (!before && !transaction.docChanged) ? null : now));
    };
    const leave = () => setAt(null);
    editor.on("transaction", look);
    editor.on("blur", leave);
    const key = new PluginKey(id);
    const handleKeyDown = (view, event) => latest.current.key?.(event) ?? false;
    editor.registerPlugin(new Plugin({ key, props: { handleKeyDown } }), (mine, all) => [mine, ...all]);
    return () => {
      editor.off("transaction", look);
      editor.off("blur", leave);
      if (!editor.isDestroyed) editor.unregisterPlugin(key);
    };
  }, [editor]);

  useEffect(() => {
    hasty.current = false;
    if (at === null) return setFound(null);
    let wanted = true;
    const got = (all) => {
      if (!wanted) return;
      if (hasty.current && all.length) return take({ each: all[0] });
      setFound(Object.assign(all, { words: at.words }));
      setChosen(0);
    };
    const ask = () => find(at.words).then(got, () => got([])); // then nothing is offered: it is text
    const timer = setTimeout(ask, found === null ? 0 : 120);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [at?.words, at === null]);

  const items = open ? [...found.map((each) => ({ each })), ...(more ? [{ more: true }] : [])] : [];
  const take = (item) => {
    const { from, to } = begun(editor.state) ?? at;
    setAt(null);
    editor.view.dispatch(editor.state.tr.delete(from, to));
    if (item.more) more.take(at.words);
    else onTake(item.each);
  };
  latest.current.key = (event) => {
    if (!open || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((chosen + step + items.length) % items.length);
    else if (event.key === "Escape") {
      left.current = at.from;
      setAt(null);
    } else if ((event.key === "Enter" && !event.metaKey && !event.ctrlKey) || event.key === "Tab") {
      if (found.words === at.words) take(items[chosen]);
      else hasty.current = true;
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  useEffect(() => {
    const text = editor.view.dom;
    if (!open) return;
    text.setAttribute("aria-controls", id);
    text.setAttribute("aria-activedescendant", `${id}-${chosen}`);
    list.current?.querySelector(".on")?.scrollIntoView({ block: "nearest" });
    return () => {
      text.removeAttribute("aria-controls");
      text.removeAttribute("aria-activedescendant");
    };
  }, [open, chosen, found]);

  if (!open) return null;
  return h(
    "div",
    { className: "float slash-menu", style: placeOf(editor, at.from), onPointerDown: (event) => event.preventDefault() },
    h("span", { className: "reader", role: "status" }, `${found.length} found`),
    h(
      "ul",
      { ref: list, id, role: "listbox", "aria-label": label },
      items.map((item, i) => {
        const { picture, name, hint, folder } = item.more ? { picture: icon("search", 15), name: more.words(found) } : draw(item.each);
        return h(
          "li",
          {
            key: item.more ? "more" : `${item.each.kind ?? ""}${item.each.id}`,
            id: `${id}-${i}`,
            role: "option",
            "aria-selected": i === chosen,
            className: i === chosen ? "on" : "",
            onPointerMove: () => i !== chosen && setChosen(i),
            onClick: () => take(item),
          },
          picture,
          item.more ? h("span", { className: "grow" }, name) : h("span", { className: "line-text" }, h("b", null, name), hint && h("small", { className: "el" }, hint)),
          folder && h("small", { className: "folder el" }, folder),
        );
      }),
    ),
  );
}

/** Below the sign, or above it where there is more room; on a phone as wide as that. */
const placeOf = (editor, from) => {
  const sign = editor.view.coordsAtPos(from);
  const height = window.visualViewport?.height ?? window.innerHeight;
  const wide = window.innerWidth < 760;
  const left = wide ? 8 : Math.max(8, Math.min(sign.left - 8, window.innerWidth - 436));
  const sides = wide ? { left, right: 8 } : { left, width: 420 };
  const below = height - sign.bottom - 14;
  if (below > 230 || below > sign.top) return { ...sides, top: sign.bottom + 6, maxHeight: Math.max(120, below) };
  return { ...sides, bottom: window.innerHeight - sign.top + 6, maxHeight: Math.max(120, sign.top - 14) };
};
