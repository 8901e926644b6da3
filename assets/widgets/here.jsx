import { createElement as h, useEffect, useSyncExternalStore } from "react";

// Who else is in which conversation now. The page gets it whole (`PresenceBoard`), and passes it on to the one row and
// the one foot that it concerns: a colleague who moves on renders no list again.
const NOBODY = [];
let here = {};
const listeners = new Set();

const listen = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** What was told before stays the same object while it says the same. */
const take = (told) => {
  const next = {};
  for (const [id, people] of Object.entries(told ?? {}))
    next[id] = JSON.stringify(here[id]) === JSON.stringify(people) ? here[id] : people;
  here = next;
  for (const listener of [...listeners]) listener();
};

export const useHere = (id) => useSyncExternalStore(listen, () => here[id] ?? NOBODY, () => NOBODY);

export function PresenceBoard({ here: told }) {
  useEffect(() => take(told), [told]);
  return null;
}

const WORDS = { reading: "is reading this", commenting: "is writing a comment", replying: "is replying" };
const MOST_FACES = 2;

/** On a row: the first faces, and how many more there are. */
export function HereFaces({ conversation }) {
  const people = useHere(conversation);
  if (!people.length) return null;
  const said = people.map((each) => `${each.first} ${WORDS[each.doing]}`).join(", ");
  return h(
    "span",
    { className: "here", title: said, role: "img", "aria-label": said },
    people.slice(0, MOST_FACES).map((each) =>
      h("span", { key: each.id, className: `mini face${each.colour} ${each.doing === "reading" ? "" : "busy"}` }, each.initials),
    ),
    people.length > MOST_FACES && h("span", { className: "third" }, `+${people.length - MOST_FACES}`),
  );
}

/** At the foot of a conversation: "Tom is reading this", "Tom and Mei are reading this · Jonas is replying". */
export function HereLine({ conversation }) {
  const people = useHere(conversation);
  const reading = people.filter((each) => each.doing === "reading").map((each) => each.first);
  const busy = people.filter((each) => each.doing !== "reading").map((each) => `${each.first} ${WORDS[each.doing]}`);
  const names = reading.length > 2 ? `${reading.slice(0, 2).join(", ")} and ${reading.length - 2} more` : reading.join(" and ");
  const said = [...(reading.length ? [`${names} ${reading.length > 1 ? "are" : "is"} reading this`] : []), ...busy];
  return h("p", { className: "here-line", role: "status" }, said.join(" · "));
}

/** Of a draft: whether its author is at it now. */
export function AtIt({ conversation, author, now, otherwise }) {
  const people = useHere(conversation);
  return people.some((each) => each.id === author && each.doing === "replying") ? now : otherwise;
}
