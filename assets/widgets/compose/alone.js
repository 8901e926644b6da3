// What one writes alone and the server has not answered yet, kept in the browser's own database while that takes longer
// than a moment (./kept.js): it outlives a browser that crashes while its line is down.
//
// An entry belongs to a page. When the page is gone for good, the next one gives the server what it had kept: it becomes
// what the draft says, if that is still what its writer went on from, and else a draft of one's own.
import { keep, keptAlone, letGo, letGoOf } from "./kept.js";
import { ask } from "../api.js";
import { anew } from "./rescue.js";

const KEEP_AFTER = 1000;
const KEEP_AGAIN = 300;
const ASK_AGAIN = 5000;

const PAGE = Math.random().toString(36).slice(2);
const lock = (page) => `tandem-page-${page}`;
const composers = new Map(); // by draft: how many stood in this page so far
const broughtUp = new Map(); // by draft: the version that it got here
const listening = new Set();

// Held as long as the page lives; where there are no locks (they need TLS or localhost) every other page counts as gone.
navigator.locks?.request(lock(PAGE), () => new Promise(() => {}));

/**
 * The words of one composer that are on their way. `said` answers them in full, and how a draft for them begins;
 * `onKeeping` hears whether they are kept here.
 */
export class Alone {
  constructor({ id, version }, said, onKeeping) {
    this.draft = id;
    this.version = version;
    this.said = said;
    this.onKeeping = onKeeping;
    this.since = 0; // the first key that is in no save
    this.saves = []; // { number, since, fields } that were sent and have no answer
    this.keeping = false; // whether there is an entry
    this.handed = false; // whether what stands here went on with Send, was thrown away, or became another draft
    composers.set(id, (this.mine = (composers.get(id) ?? 0) + 1));
  }

  touched() {
    this.handed = false;
    this.since ||= Date.now();
    this.watch();
  }

  sends(number, fields) {
    this.saves.push({ number, since: this.since || Date.now(), fields });
    this.since = 0;
    this.watch();
  }

  /** The server has stored everything up to this save. */
  hears(number, version) {
    if (version) this.version = version;
    this.saves = this.saves.filter((each) => each.number > number);
    if (!this.oldest && this.keeping) this.letGo();
  }

  get oldest() {
    return this.saves[0]?.since || this.since;
  }

  watch() {
    if (!this.oldest || this.timer) return;
    const pause = this.keeping ? KEEP_AGAIN : Math.max(0, this.oldest + KEEP_AFTER - Date.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.keeping || (this.oldest && this.oldest + KEEP_AFTER <= Date.now())) this.keep();
      else this.watch();
    }, pause);
  }

  keep() {
    if (!this.oldest) return null;
    this.keeping = true;
    const saves = this.saves.map((each) => each.fields);
    const arrived = [...saves.slice(0, 10), ...saves.slice(10).slice(-10)]; // one of these may have
    const entry = { serial: Math.random(), alone: true, said: this.said(), saves: arrived, version: this.version, handed: this.handed };
    keep(this.draft, PAGE, entry);
    this.onKeeping(true);
    return entry;
  }

  letGo() {
    letGoOf(this.draft, PAGE);
    this.onKeeping(false);
    this.keeping = false;
    this.saves = [];
    this.since = 0;
  }

  /** The composer is gone, and with it whoever hears the server's answer: it is asked whether it has everything. */
  close() {
    clearTimeout(this.timer);
    this.onKeeping = () => {};
    if (this.handed) return this.letGo();
    const entry = this.keep();
    if (entry) setTimeout(() => this.settle(entry), KEEP_AFTER);
  }

  async settle(entry) {
    // Whoever opened the draft here again may have written on: then it was stored before.
    const again = composers.get(this.draft) > this.mine;
    if (await give(this.draft, entry, !again)) this.letGo();
    else setTimeout(() => this.settle(entry), ASK_AGAIN);
  }
}

/** A composer hears when its draft says more than it began with: `again` is called once for each time. */
export const hearBroughtUp = ({ id, version }, again) => {
  const hear = (draft) => draft === id && again();
  if (broughtUp.get(id) > version) again();
  listening.add(hear);
  return () => listening.delete(hear);
};

/** Give the server what pages that are gone had kept. `apart` hears when it became a draft of one's own. */
export const bringUpAlone = async (apart) => {
  const pages = new Set((await keptAlone()).map(([[, , page]]) => page));
  pages.delete(PAGE);
  const bring = async (page) => {
    for (const found of await keptAlone()) {
      const [[, draft, of], entry] = found;
      if (of !== page) continue;
      const became = await give(draft, entry);
      if (became) await letGo([found]);
      if (became === "apart") apart();
    }
  };
  for (const page of pages) navigator.locks ? navigator.locks.request(lock(page), () => bring(page)) : await bring(page);
};

/** What became of it: `stored`, or `apart` as a draft of one's own; null while nobody answers. */
const give = async (draft, { said, saves, version, handed }, orApart = true) => {
  const put = (fields, on) => ask("PUT", `/drafts/${draft}`, { ...fields, version: on });
  try {
    let answer = await put(said.fields, version);
    for (const fields of answer.status === 409 ? saves : []) {
      // A save that arrived although its answer did not: what came after it was written on top of that.
      const same = await put(fields, version);
      if (!same.ok) continue;
      answer = await put(said.fields, (await same.json()).version);
      break;
    }
    if (answer.ok) {
      const stands = await answer.json();
      broughtUp.set(draft, stands.version);
      if (stands.version > version) for (const hear of listening) hear(draft);
      return "stored";
    }
    if (answer.status !== 404 && answer.status !== 409) return null;
    if (!orApart || (answer.status === 404 && handed)) return "stored"; // it left, or was thrown away as its writer wished
  } catch {
    return null; // the line is down: it is kept on
  }
  const made = await anew(said);
  return made === null ? null : made ? "apart" : "stored";
};
