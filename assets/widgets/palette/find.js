import fuzzysort from "fuzzysort";
import { recent } from "./recent.js";
import { all, find } from "./things.js";

// What is offered for the words in the palette's field: groups of things, the best group first.
const MOST = { Commands: 6, People: 5, Mailboxes: 5, Conversations: 8 };
const MOST_RECENT = 8;
const LOOKED_AT = 40; // of those that fit, the best
const GOOD = 0.35; // from which score on something fits
const DAY = 86_400;

/** The commands that can be carried out now, as things. `about` is how many conversations they would be about. */
export const commandsNow = ({ commands, keys, admin }) => {
  const about = window.tandem.fitMenus();
  const subject = about.length > 1 ? `${about.length} conversations` : (document.querySelector(`.pane[data-pane="${about[0]}"] h1`)?.textContent ?? "");
  return commands
    .filter((each) => each.name !== "palette" && (!each.admins || admin) && (each.group !== "This conversation" || each.name === "undo" || about.length))
    .filter((each) => window.tandem.possible(each))
    .map((each) => ({
      kind: "command",
      key: `!${each.name}`,
      name: each.name,
      group: each.group,
      title: each.text,
      detail: each.group === "This conversation" && each.name !== "undo" ? subject : each.group === "Settings" ? "Settings" : "",
      icon: each.icon,
      hint: keys[each.name]?.label ?? "",
      href: each.to,
      hay: fuzzysort.prepare(`${each.text} · ${each.also}`),
    }));
};

const place = (key, title, detail, href, dot, icon) => ({ kind: "place", key, title, detail, href, dot, icon, hay: fuzzysort.prepare(`${title} · ${detail}`) });

/** Mailboxes, their lists, and saved views. */
export const placesNow = ({ mailboxes, views }) => [
  ...mailboxes.flatMap((each) => [
    place(`m${each.id}`, each.name, each.address, `/?mailbox=${each.id}&view=open`, each.dot),
    ...[["Unassigned", "unassigned"], ["Done", "done"], ["Spam", "spam"], ["Trash", "trash"]].map(([name, view]) =>
      place(`m${each.id}-${view}`, name, `in ${each.name}`, `/?mailbox=${each.id}&view=${view}`, each.dot)),
  ]),
  ...views.map((each) => place(`v${each.id}`, each.name, "View", `/?list=view&q=${each.id}`, undefined, "list-filter")),
];

const group = (name, things) => ({ name, things, best: things[0]?.score ?? 0 });

/** What stands there before anything is typed. */
export const offered = (commands, places) => {
  const named = new Map(places.map((each) => [each.key, each]));
  const shown = `c${window.tandem.selected}`;
  const last = recent().filter((key) => key !== shown).map((key) => named.get(key) ?? find(key)).filter(Boolean).slice(0, MOST_RECENT);
  const of = (name) => group(name, commands.filter((each) => each.group === name).map((each) => ({ ...each, detail: "" })));
  return [group("Recent", last), ...["This conversation", "Go to", "Conversations", "Everywhere"].map(of)].filter((each) => each.things.length);
};

/** What fits the words. */
export const found = (words, commands, places) => {
  const { conversations, people } = all();
  const lately = new Map(recent().map((key, at) => [key, 0.12 - at * 0.003]));
  const now = Date.now() / 1000;
  const newer = (thing) => (thing.at ? 0.04 * Math.exp((thing.at - now) / (30 * DAY)) : 0);
  // Lately is better than long ago. This is asked for everything that fits; the rest for the best of it.
  const later = ({ score, obj }) => (score < GOOD ? 0 : score + (lately.get(obj.key) ?? 0) + newer(obj));
  // In one piece is better than in letters, and in its name better than beside it.
  const better = (hit) => {
    const { indexes, obj } = hit;
    const first = indexes[0];
    const whole = indexes[indexes.length - 1] - first === indexes.length - 1;
    return { ...obj, indexes, score: (hit.score + (whole ? 0.15 : 0)) * (first >= obj.title.length ? 0.85 : 1) };
  };
  const among = (name, things) => {
    const hits = fuzzysort.go(words, things, { key: "hay", limit: LOOKED_AT, threshold: 0.01, scoreFn: later });
    return group(name, hits.map(better).sort((one, other) => other.score - one.score).slice(0, MOST[name]));
  };
  return [among("Commands", commands), among("People", people), among("Mailboxes", places), among("Conversations", conversations)]
    .filter((each) => each.things.length)
    .map((each, at) => ({ ...each, best: Math.round(each.best * 8) - at / 10 }))
    .sort((one, other) => other.best - one.best);
};
