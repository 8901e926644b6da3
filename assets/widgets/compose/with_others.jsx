import { createElement as h, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { keepingFocus } from "./focus.js";

// A composer in which several write. What they share is large, so it comes when a draft is shared (./together.js).

/**
 * The line of a draft that is written together, once it stands: { line, writers, standing }, with line null before.
 * `before` answers what stands in this composer, when it was opened alone; `on` hears { fields, trouble, over, apart },
 * and answers what is `said` here, from which a draft of one's own can be made.
 */
export function useOthers(draft, together, before, on) {
  const [line, setLine] = useState(null);
  const [writers, setWriters] = useState([]);
  const [standing, setStanding] = useState({ up: false, stored: true });
  const latest = useRef({});
  latest.current = { before, on };

  useEffect(() => {
    if (!together) return undefined;
    let made = null;
    let left = false;
    const hear = {
      ready: (opened) => {
        const written = latest.current.before();
        if (written) opened.adopt(written);
        keepingFocus(draft.id, () => flushSync(() => setLine(opened))); // not a key in between
        latest.current.on.fields(opened.fields());
      },
      fields: (fields) => latest.current.on.fields(fields),
      writers: setWriters,
      standing: setStanding,
      trouble: (words) => latest.current.on.trouble(words),
      over: (reason) => latest.current.on.over(reason),
      said: () => latest.current.on.said(),
      apart: () => latest.current.on.apart(),
    };
    const load = () =>
      import("./together.js").then(
        ({ openLine }) => {
          if (!left) made = openLine(draft.id, hear);
        },
        () => setTimeout(() => left || load(), 3000), // the line is down: it is tried again
      );
    load();
    return () => {
      left = true;
      made?.close();
    };
  }, [together]);

  return { line, writers, standing };
}

/** "Ana and Jonas write here too". */
export function WritersHere({ writers }) {
  const all = [...new Map(writers.map((each) => [each.user_id, each])).values()];
  if (!all.length) return null;
  const names = all.map((each) => each.name.split(" ")[0]);
  const listed = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)} write here too` : `${names[0]} writes here too`;
  return h(
    "span",
    { className: "writers", role: "status" },
    all.map((each) => h("span", { key: each.user_id, className: `dot who${each.colour % 10}`, "aria-hidden": true })),
    listed,
  );
}

export const standingWords = ({ up, stored }) => (up ? (stored ? "Saved" : "Saving") : "No connection. What you write is kept here");
