import fuzzysort from "fuzzysort";
import * as recent from "./recent.js";

// What can be jumped to by its name: the conversations and people that the server says this person sees, fetched once,
// and kept as the events say that they change. Where one of these was missed, all is asked for anew.
const AT_ONCE = 400; // made ready to be searched without giving way
const AGAIN_AFTER = 2000; // one answer for a burst of changes
const RETRY_AFTER = 20_000;

const conversations = new Map();
const people = new Map();
const gone = new Map(); // up to which version they are out of sight
let me = 0;
let heard = 0; // the number of the last news
let tag = "";
let lists = null; // of both, newest first
let fetching = false;
let waiting = 0;
let missed = null; // what came while the index was on its way
const listeners = new Set();

const tell = () => {
  lists = null;
  listeners.forEach((each) => each());
};

const nameOf = (one) => one.name || one.address;
const ready = (thing, title, detail) => Object.assign(thing, { title, detail, hay: fuzzysort.prepare(`${title} · ${detail}`) });
const ofConversation = (one) => ready({ kind: "conversation", key: `c${one.id}`, ...one }, one.subject || "(no subject)", one.people);
const ofPerson = (one) =>
  ready({ ...one, key: `${one.kind}-${one.id}`, company: one.detail }, nameOf(one), [one.name && one.address, one.detail].filter(Boolean).join(" · "));

const put = (one) => {
  const known = conversations.get(one.id);
  if ((known && known.version > one.version) || gone.get(one.id) >= one.version) return;
  gone.delete(one.id);
  conversations.set(one.id, ofConversation(one));
};

const drop = ([id, version]) => {
  const known = conversations.get(id);
  if (known && version && known.version > version) return; // it has come back, as another stream told before
  conversations.delete(id);
  if (version) gone.set(id, Math.max(version, gone.get(id) ?? 0));
};

const take = (news) => {
  news.conversations.forEach(put);
  news.gone.forEach(drop);
  for (const mailbox of news.gone_mailboxes)
    for (const [id, one] of conversations) if (one.mailbox_id === mailbox) conversations.delete(id);
  for (const one of news.people) people.set(`${one.kind}-${one.id}`, ofPerson(one));
  for (const key of news.gone_people) people.delete(key);
  tell();
};

const breath = () => new Promise((go) => setTimeout(go, 0));

/** The whole index, in place of what is known. */
const replace = async (index) => {
  const fresh = [];
  const named = [];
  for (let at = 0; at < index.conversations.length; at += AT_ONCE) {
    fresh.push(...index.conversations.slice(at, at + AT_ONCE).map(ofConversation));
    await breath();
  }
  for (let at = 0; at < index.people.length; at += AT_ONCE) {
    named.push(...index.people.slice(at, at + AT_ONCE).map(ofPerson));
    await breath();
  }
  return () => {
    conversations.clear();
    people.clear();
    gone.clear();
    for (const one of fresh) conversations.set(one.id, one);
    for (const one of named) people.set(one.key, one);
  };
};

const ask = async () => {
  waiting = 0;
  if (fetching) return again();
  fetching = true;
  missed = [];
  const asked = me;
  let next = 0;
  try {
    const answer = await fetch("/api/v1/palette", { credentials: "same-origin", headers: tag ? { "if-none-match": tag } : {} });
    if (answer.status === 200) {
      const index = await answer.json();
      const settle = await replace(index);
      if (asked === me) {
        tag = answer.headers.get("etag") ?? "";
        settle();
        missed.forEach(take);
        tell();
      }
    } else if (answer.status !== 304 && answer.status !== 401) next = RETRY_AFTER;
  } catch (fault) {
    console.info("The palette's index could not be fetched", fault);
    next = RETRY_AFTER;
  }
  fetching = false;
  missed = null;
  if (next || asked !== me) again(next);
};
const again = (after = AGAIN_AFTER) => (waiting ||= setTimeout(ask, after));

/** As this person, from these news on. */
export const follow = (person, news) => {
  if (person !== me) {
    me = person;
    recent.begin(me);
    heard = news.number;
    conversations.clear();
    people.clear();
    gone.clear();
    tag = "";
    tell();
    clearTimeout(waiting);
    waiting = 0;
    return again(0);
  }
  if (news.number === heard) return;
  const all = news.number === heard + 1;
  heard = news.number;
  if (all) {
    missed?.push(news);
    take(news);
  }
  if (!all || news.again) {
    tag = all ? tag : "";
    again();
  }
};

/** Whether the index has come. */
export const come = () => tag !== "";

export const all = () =>
  (lists ??= {
    conversations: [...conversations.values()].sort((one, other) => other.at - one.at),
    people: [...people.values()],
  });

/** A thing by its key. */
export const find = (key) => (key.startsWith("c") && /^c\d+$/.test(key) ? conversations.get(Number(key.slice(1))) : people.get(key));

export const listen = (hear) => {
  listeners.add(hear);
  return () => listeners.delete(hear);
};
