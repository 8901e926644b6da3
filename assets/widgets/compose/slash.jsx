import { Plugin, PluginKey } from "@tiptap/pm/state";
import { createElement as h, useEffect, useRef, useState } from "react";
import { icon } from "./icons.jsx";
import { KINDS, findLinks } from "./links.jsx";
import { beginning, findTemplates } from "./templates.js";

// "/" at the start of a word offers templates, snippets and saved links, found by what is typed after it. The cursor stays in the
// text; the arrows walk, Enter puts in, Escape leaves the slash as it is.
const SLASH = /(?:^|\s)\/([^\s/][^\n/]{0,39})?$/;
const MOST = 7;
const MOST_LINKS = 3;

/** Templates first, and links below them. */
const find = async (words) => {
  const [templates, links] = await Promise.all([findTemplates(words), findLinks(words)]);
  const last = links.slice(0, MOST_LINKS);
  return [...templates.slice(0, MOST - last.length), ...last];
};
/** How each is drawn: its picture, and what stands below its name. */
const drawing = (each) => (each.url ? KINDS[each.kind] : [each.kind === "snippet" ? "quote" : "template", beginning(each)]);

/** Where a slash stands before the cursor: { from, to, words }, or null. */
const begun = (state) => {
  const { empty, $from } = state.selection;
  if (!empty || !$from.parent.isTextblock || $from.parent.type.name === "codeBlock") return null;
  const before = $from.parent.textBetween(Math.max(0, $from.parentOffset - 60), $from.parentOffset, "\n", "\ufffc");
  const match = SLASH.exec(before);
  return match && { from: $from.pos - (match[1] ?? "").length - 1, to: $from.pos, words: match[1] ?? "" };
};

/** `onChoose` gets a template or a link, when the slash and its words are gone; `onMore` opens the whole list. */
export function SlashMenu({ editor, onChoose, onMore }) {
  const [at, setAt] = useState(null); // the slash that stands before the cursor
  const [found, setFound] = useState(null);
  const [chosen, setChosen] = useState(0);
  const hasty = useRef(false); // Enter came before what was typed had been looked for
  const left = useRef(-1); // the slash that was left alone with Escape
  const latest = useRef({});
  const list = useRef(null);
  const open = at !== null && found !== null && (found.length > 0 || !at.words);

  useEffect(() => {
    const look = ({ transaction }) => {
      const now = begun(editor.state);
      left.current = left.current < 0 ? -1 : transaction.mapping.map(left.current);
      if (!now) left.current = -1;
      // Moving the cursor behind a slash that stands there anyway offers nothing.
      setAt((before) => (!now || now.from === left.current || (!before && !transaction.docChanged) ? null : now));
    };
    const leave = () => setAt(null);
    editor.on("transaction", look);
    editor.on("blur", leave);
    const key = new PluginKey("slash");
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

  const items = open ? [...found.map((each) => ({ each })), { more: true }] : [];
  const take = (item) => {
    const { from, to } = begun(editor.state) ?? at;
    setAt(null);
    editor.view.dispatch(editor.state.tr.delete(from, to));
    if (item.more) onMore(at.words);
    else onChoose(item.each);
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
    text.setAttribute("aria-controls", "slash-menu");
    text.setAttribute("aria-activedescendant", `slash-${chosen}`);
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
      { ref: list, id: "slash-menu", role: "listbox", "aria-label": "Templates and snippets, links" },
      items.map((item, i) =>
        h(
          "li",
          {
            key: item.more ? "more" : `${item.each.kind}${item.each.id}`,
            id: `slash-${i}`,
            role: "option",
            "aria-selected": i === chosen,
            className: i === chosen ? "on" : "",
            onPointerMove: () => i !== chosen && setChosen(i),
            onClick: () => take(item),
          },
          item.more ? icon("search", 15) : icon(drawing(item.each)[0], 15),
          item.more
            ? h("span", { className: "grow" }, found.length ? "All templates" : "No templates yet: see all")
            : h("span", { className: "line-text" }, h("b", null, item.each.name), h("small", { className: "el" }, drawing(item.each)[1])),
          !item.more && item.each.folder && h("small", { className: "folder el" }, item.each.folder),
        ),
      ),
    ),
  );
}

/** Below the slash, or above it where there is more room; on a phone as wide as that. */
const placeOf = (editor, from) => {
  const slash = editor.view.coordsAtPos(from);
  const height = window.visualViewport?.height ?? window.innerHeight;
  const wide = window.innerWidth < 760;
  const left = wide ? 8 : Math.max(8, Math.min(slash.left - 8, window.innerWidth - 436));
  const sides = wide ? { left, right: 8 } : { left, width: 420 };
  const below = height - slash.bottom - 14;
  if (below > 230 || below > slash.top) return { ...sides, top: slash.bottom + 6, maxHeight: Math.max(120, below) };
  return { ...sides, bottom: window.innerHeight - slash.top + 6, maxHeight: Math.max(120, slash.top - 14) };
};
