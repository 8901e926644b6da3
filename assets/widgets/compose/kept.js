// What was written into a draft and is not stored by the server yet, in the browser's own database: it outlives a browser
// that crashes while the line is down (docs/decisions/0039-kept-in-the-browser.md).
//
// Each open line of a draft that is written together has one entry, [person, draft, line], that holds all its changes
// without an answer; each page that writes in one alone has one, [person, draft, page] (./alone.js). An entry goes with
// the last answer, with the draft, and when the person signs out.
const NAME = "tandem-drafts";
const ENTRIES = "changes";

let person = 0; // nobody: nothing is kept
let opened = null;

const open = () =>
  (opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(ENTRIES);
    asked.onsuccess = () => {
      const base = asked.result;
      const close = () => (base.close(), (opened = null));
      Object.assign(base, { onversionchange: close, onclose: close });
      done(base);
    };
    asked.onerror = () => ((opened = null), fail(asked.error));
  }));

/** Do something with the entries in one transaction; answers what was asked for once it has ended. */
const within = async (mode, deed) => {
  const work = (await open()).transaction(ENTRIES, mode);
  return new Promise((done, fail) => {
    const asked = deed(work.objectStore(ENTRIES));
    work.oncomplete = () => done(asked?.result);
    work.onabort = () => fail(work.error);
  });
};

/** A browser that keeps nothing (a private window, a full disk) is no reason to write nothing. */
const where = (deed) => deed.catch((fault) => void console.warn("What is written is not kept in this browser", fault));

const owned = (...key) => IDBKeyRange.bound(key, [...key, []]);

/** From now on it is this person's words that are kept. */
export const keepFor = (id) => void (person = id);

/**
 * Of a draft's line an entry says { key, serial, change, said }. `change` is what the server lacks, `said` the composer's
 * words in full, with which a draft of one's own can be made when this one is gone.
 */
export const keep = (draft, line, entry) => (person ? where(within("readwrite", (all) => all.put(entry, [person, draft, line]))) : undefined);

const found = async (...key) => (await entries(person ? owned(person, ...key) : null)) ?? [];

/** What is kept of a draft that is written together, of all lines that there were: pairs of key and entry. */
export const kept = async (draft) => (await found(draft)).filter(([, { alone }]) => !alone);

/** What is kept of all drafts that were written alone. */
export const keptAlone = async () => (await found()).filter(([, { alone }]) => alone);

const entries = (range) =>
  range &&
  where(
    within("readonly", (all) => {
      const found = [];
      all.openCursor(range).onsuccess = ({ target: { result: at } }) => at && (found.push([at.key, at.value]), at.continue());
      return { result: found };
    }),
  );

/** The server has it, or it goes on elsewhere. Of a line that wrote on meanwhile in another tab the entry stays. */
export const letGo = (found) =>
  where(
    within("readwrite", (all) => {
      for (const [key, { serial }] of found)
        all.get(key).onsuccess = ({ target: { result: now } }) => now?.serial === serial && all.delete(key);
    }),
  );

export const letGoOf = (draft, line) => (person ? where(within("readwrite", (all) => void all.delete([person, draft, line]))) : undefined);

/** The drafts written together of which something is kept. */
export const draftsKept = async () => [...new Set((await found()).filter(([, { alone }]) => !alone).map(([[, draft]]) => draft))];

/** The person signs out: nothing of them stays here, and nothing is kept any more. */
export const forget = async () => {
  const gone = person;
  person = 0;
  if (gone) await where(within("readwrite", (all) => void all.delete(owned(gone))));
};
