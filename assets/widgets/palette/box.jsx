import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Ago } from "../ago.jsx";
import { commandsNow, found, offered, placesNow } from "./find.js";
import { Icon } from "./icons.jsx";
import * as recent from "./recent.js";
import * as things from "./things.js";

export { things };

const hrefOf = (thing) => {
  switch (thing.kind) {
    case "conversation":
      return `/?mailbox=${thing.mailbox_id}&conversation=${thing.id}`;
    case "contact":
      return `/contacts/?contact=${thing.id}`;
    case "colleague":
      return `/?list=filter&q=${encodeURIComponent(JSON.stringify({ assigned: "to_these", person_ids: [thing.id] }))}`;
    case "search":
      return `/?list=search&q=${encodeURIComponent(thing.words)}`;
    default:
      return thing.href;
  }
};

// The letters that were found, marked. `from` is where this text begins in what was searched.
const marked = (text, indexes, from) => {
  const inside = new Set((indexes ?? []).map((at) => at - from));
  const parts = [];
  for (let at = 0; at < text.length; ) {
    const on = inside.has(at);
    let end = at + 1;
    while (end < text.length && inside.has(end) === on) end += 1;
    parts.push(on ? <mark key={at}>{text.slice(at, end)}</mark> : text.slice(at, end));
    at = end;
  }
  return parts;
};

const sayWhere = (thing, mailboxes) => {
  if (thing.kind !== "conversation") return "";
  const mailbox = mailboxes.find((each) => each.id === thing.mailbox_id)?.name;
  return [mailbox, thing.status === "done" && "Done"].filter(Boolean).map((each) => ` · ${each}`).join("");
};

const ICON_OF = { conversation: "conversation", contact: "contact", colleague: "user", search: "search" };

const Entry = memo(function Entry({ thing, id, on, where, choose, point }) {
  return (
    <div id={id} role="option" aria-selected={on} className={on ? "palette-entry on" : "palette-entry"} onMouseMove={() => on || point()} onMouseDown={(event) => event.preventDefault()} onClick={(event) => choose(event.metaKey || event.ctrlKey)}>
      {thing.dot === undefined ? <Icon name={thing.icon ?? ICON_OF[thing.kind]} /> : <span className={`dot dot${thing.dot}`} />}
      <span className="palette-title">{marked(thing.title, thing.indexes, 0)}</span>
      <span className="palette-detail">
        {thing.kind === "command" ? thing.detail : marked(thing.detail, thing.indexes, thing.title.length + 3)}
        {where}
      </span>
      {thing.hint && <kbd>{thing.hint}</kbd>}
      {thing.at && <Ago at={new Date(thing.at * 1000).toISOString()} />}
    </div>
  );
});

export function Box({ close, ...props }) {
  const dialog = useRef(null);
  const field = useRef(null);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const [, come] = useState(0);

  // No modal dialog of the browser's: making the whole page inert takes longer than a frame. The keyboard stays in the
  // field, and the dim ground takes every click.
  const before = useRef(null);
  useLayoutEffect(() => {
    before.current = document.activeElement;
    field.current.focus({ preventScroll: true });
  }, []);
  useEffect(() => things.listen(() => things.come() && come((n) => n + 1)), []);

  // What can be done is as it was when the palette opened: it covers what would change that.
  const commands = useMemo(() => commandsNow({ commands: props.commands, keys: props.keys, admin: props.admin }), []);
  const places = useMemo(() => placesNow({ mailboxes: props.mailboxes, views: props.views }), []);
  const known = things.all();
  const typed = words.trim();
  const groups = useMemo(() => {
    if (!typed) return offered(commands, places);
    const search = { kind: "search", key: "?", title: `Search all mail for “${typed}”`, detail: "", words: typed };
    return [...found(typed, commands, places), { name: "Search", things: [search] }];
  }, [typed, known]);
  const flat = groups.flatMap((each) => each.things);
  const active = flat.length ? Math.min(at, flat.length - 1) : -1;

  const list = useRef(null);
  const scrolled = useRef(false); // asking the list itself would have it laid out once more
  useLayoutEffect(() => {
    if (active > 0) document.getElementById(`palette-${active}`)?.scrollIntoView({ block: "nearest" });
    else if (scrolled.current) list.current.scrollTop = 0;
  }, [active, groups]);

  const leave = () => {
    close();
    if (before.current?.isConnected && before.current !== document.body) before.current.focus({ preventScroll: true });
  };
  const choose = (thing, elsewhere) => {
    const href = hrefOf(thing);
    if (elsewhere && href) {
      recent.note(thing.key);
      return window.open(href, "_blank");
    }
    leave();
    if (thing.kind !== "search") recent.note(thing.key);
    if (thing.kind === "command") window.tandem.run(thing.name);
    else window.tandem.go(href);
  };

  const key = (event) => {
    if (event.nativeEvent.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      if (flat.length) setAt((active + by + flat.length) % flat.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (flat[active]) choose(flat[active], event.metaKey || event.ctrlKey);
    } else if (event.key === "Tab") {
      event.preventDefault();
    } else if (event.key === "Escape" || ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k")) {
      event.preventDefault();
      leave();
    }
  };

  let number = -1;
  return (
    <div ref={dialog} className="palette-dim" onKeyDown={key} onMouseDown={(event) => (event.target === dialog.current ? leave() : event.target !== field.current && event.preventDefault())}>
      <div className="palette" role="dialog" aria-modal="true" aria-label="Jump to anything">
        <div className="palette-field">
          <Icon name="search" size={18} />
          <input
            ref={field}
            type="text"
            value={words}
            placeholder="Search or jump to"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            enterKeyHint="go"
            role="combobox"
            aria-label="Conversations, people, mailboxes and commands"
            aria-expanded="true"
            aria-autocomplete="list"
            aria-controls="palette-list"
            aria-activedescendant={active < 0 ? undefined : `palette-${active}`}
            onChange={(event) => {
              setWords(event.target.value);
              setAt(0);
            }}
          />
          <button type="button" tabIndex={-1} className="palette-close" aria-label="Close" onClick={leave}>
            <kbd aria-hidden="true">Esc</kbd>
            <Icon name="x" size={18} />
          </button>
        </div>
        <div ref={list} id="palette-list" className="palette-list" onScroll={(event) => (scrolled.current = event.currentTarget.scrollTop > 0)} role="listbox" aria-label="What fits">
          {groups.map(({ name, things: some }) => (
            <div key={name} role="group" aria-label={name}>
              <div className="palette-group" aria-hidden="true">
                {name}
                {name === "This conversation" && <span> · {commands.find((each) => each.group === name)?.detail}</span>}
              </div>
              {some.map((thing) => {
                const mine = (number += 1);
                return (
                  <Entry key={thing.key} thing={thing} id={`palette-${mine}`} on={mine === active} where={sayWhere(thing, props.mailboxes)} choose={(elsewhere) => choose(thing, elsewhere)} point={() => setAt(mine)} />
                );
              })}
            </div>
          ))}
        </div>
        <span className="reader" role="status">{typed ? (flat.length === 1 ? "Nothing fits" : `${flat.length - 1} fit`) : ""}</span>
        <div className="palette-foot" aria-hidden="true">
          <span><kbd>↑</kbd><kbd>↓</kbd> Move</span>
          <span><kbd>↵</kbd> Run or open</span>
          <span><kbd>{/Mac|iP/.test(navigator.platform) ? "⌘" : "Ctrl"}</kbd><kbd>↵</kbd> Open in a new tab</span>
          <span className="grow" />
          {props.keys.keys?.label && <span><kbd>{props.keys.keys.label}</kbd> All shortcuts</span>}
        </div>
      </div>
    </div>
  );
}
