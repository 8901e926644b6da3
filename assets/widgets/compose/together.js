import { Extension } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import { prosemirrorToYXmlFragment, updateYFragment, yCursorPlugin } from "@tiptap/y-tiptap";
import * as Y from "yjs";
import { caret, Cursors } from "./cursors.js";
import { RichText, written } from "./editor.jsx";
import { keep, kept, letGo, letGoOf } from "./kept.js";
import { anew, isGone } from "./rescue.js";

// A draft that several write together: its shared document (Yjs), and the line over which it is kept the same
// everywhere (backend/compose/together/contracts.py says what is said on it). Loaded only when a draft is shared.
//
// While the line is down one goes on writing; when it is back, each side tells what it has and hears what it lacks.
// A change counts as stored when the server says so, and is sent again until then. What waits for that longer than a
// moment is kept in the browser, too (./kept.js).

const TICK = 40;
const KEEP_AFTER = 300;
const KEPT_WITHIN = 2000;
const PAUSES = [250, 500, 1000, 2000, 4000];
const SILENCE = 60_000;
const FIELDS = ["to", "cc", "bcc", "subject", "quoted"];
const TOO_MUCH = 2 * 1024 * 1024;

const pack = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
};
const unpack = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
const joined = (changes) => (changes.length > 1 ? Y.mergeUpdates(changes) : changes[0]);
const says = (change) => change.length > 2; // two zeros: no words, and none taken out
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Open the line to a draft. `hear` is told { ready, fields, writers, standing, trouble, over, said, apart }: that the document is
 * here; what the fields now are; who else writes; { up, stored }; a sentence; and why it has ended for good. `said`
 * answers the composer's words, and how a draft for them begins; `apart` hears when they became one of one's own.
 */
export const openLine = (draft, hear) => {
  const line = lingering.get(draft);
  if (!line) return new Line(draft, hear);
  lingering.delete(draft);
  line.hear = hear;
  if (line.ready) queueMicrotask(() => hear.ready(line));
  return line;
};

/** Give the server what a browser that crashed had kept of a draft. `apart` hears when it became a draft of its own. */
export const bringUp = (draft, apart) => {
  if (!lingering.has(draft)) lingering.set(draft, new Line(draft, { ...NOBODY, apart }));
};

/** Lines of composers that were closed before everything was stored: they stay until it is. */
const lingering = new Map();
const NOBODY = { ready() {}, fields() {}, writers() {}, standing() {}, trouble() {}, over() {}, said: () => null, apart() {} };

class Line {
  constructor(draft, hear) {
    this.draft = draft;
    this.hear = hear;
    this.doc = new Y.Doc();
    this.body = this.doc.getXmlFragment(`body:${draft}`);
    this.map = this.doc.getMap(`fields:${draft}`);
    this.cursors = new Cursors(this.doc, (at) => this.say({ frame: "cursor", client: this.doc.clientID, cursor: at && JSON.stringify(at) }));
    this.RichText = RichText;
    this.plain = false;
    this.up = false;
    this.ready = false;
    this.ended = false;
    this.begun = null;
    this.number = 0;
    this.stored = 0;
    this.waiting = []; // changes that were not sent
    this.sent = []; // { number, change } that were, and have no answer
    this.brought = []; // what was kept of lines that are no more
    this.keeping = false; // whether there is an entry of this line
    this.handed = false; // whether what stands here went on with Send, was thrown away, or became another draft
    this.said = null; // the composer's words when they were kept last
    this.tries = 0;
    this.doc.on("update", (change, origin) => {
      if (origin === this) return;
      this.handed = false;
      this.waiting.push(change);
      this.tick ??= setTimeout(() => this.flush(), TICK);
      this.keepSoon();
      this.standing();
    });
    this.map.observe((event, done) => done.origin === this && this.ready && this.hear.fields(this.fields()));
    this.again = () => !this.socket && this.connect();
    window.addEventListener("online", this.again);
    this.goOn();
  }

  /** First what was kept, then the line: so it is told in one breath. A database that does not answer is not waited for. */
  async goOn() {
    const bring = kept(this.draft).then((found) => {
      this.brought = found;
      for (const [, { change }] of found) Y.applyUpdate(this.doc, change);
    }).catch((fault) => console.warn("What was kept cannot be read", fault));
    await Promise.race([bring, new Promise((done) => setTimeout(done, KEPT_WITHIN))]);
    this.connect();
  }

  /** Keep what waits in this browser, unless the server has it in a moment. */
  keepSoon() {
    this.due ??= setTimeout(() => {
      this.due = null;
      const changes = [...this.sent.map((each) => each.change), ...this.waiting];
      if (this.ended || !changes.length) return;
      this.keeping = true;
      this.said = this.hear.said() ?? this.said;
      keep(this.draft, this.doc.clientID, { serial: Math.random(), change: joined(changes), said: this.said });
    }, KEEP_AFTER);
  }

  /** What was kept has arrived, or goes on elsewhere. */
  letGo() {
    if (this.keeping) letGoOf(this.draft, this.doc.clientID);
    if (this.brought.length) letGo(this.brought);
    this.keeping = false;
    this.brought = [];
  }

  /** The draft is gone: what others never saw of it becomes a draft of one's own. */
  async rescue() {
    const made = await anew(this.said ?? this.brought.at(-1)?.[1].said);
    if (made === null) return; // no answer: it is tried again with the next page
    this.letGo();
    if (made) this.hear.apart();
  }

  get allStored() {
    return !this.waiting.length && this.stored >= this.number;
  }

  fields() {
    return Object.fromEntries(FIELDS.filter((name) => this.map.has(name)).map((name) => [name, this.map.get(name)]));
  }

  set(name, value) {
    if (!same(this.map.get(name), value)) this.map.set(name, value);
  }

  /** What the editor needs instead of its own memory. */
  extensions() {
    const cursors = this.cursors;
    return [
      Collaboration.configure({ document: this.doc, fragment: this.body }),
      Extension.create({
        name: "cursors",
        addProseMirrorPlugins: () => [yCursorPlugin(cursors, { cursorBuilder: caret, selectionBuilder: (user) => ({ class: `chosen-by who${user.colour}` }) })],
      }),
    ];
  }

  /** What stood in this composer before the line did, as changes of what the document began with. */
  adopt({ html, text, ...fields }) {
    const base = new Y.Doc();
    Y.applyUpdate(base, this.begun);
    const before = Y.encodeStateVector(base);
    const body = base.getXmlFragment(`body:${this.draft}`);
    const map = base.getMap(`fields:${this.draft}`);
    base.transact(() => {
      updateYFragment(base, body, written(this.draft, this.plain, { html, text }), { mapping: new Map(), isOMark: new Map() });
      for (const name of FIELDS) if (name in fields && !same(map.get(name), fields[name])) map.set(name, fields[name]);
    });
    const change = Y.encodeStateAsUpdate(base, before);
    if (says(change)) Y.applyUpdate(this.doc, change);
  }

  /** The composer is gone. What it held is not lost with it. */
  close() {
    this.flush();
    this.said = this.hear.said() ?? this.said;
    this.hear = { ...NOBODY, apart: this.hear.apart };
    if (this.handed) this.letGo();
    if (this.allStored || this.ended || this.handed) this.end();
    else {
      this.setCursor(null);
      lingering.set(this.draft, this);
    }
  }

  setCursor(at) {
    this.cursors.setLocalStateField("cursor", at);
  }

  end() {
    this.ended = true;
    if (lingering.get(this.draft) === this) lingering.delete(this.draft);
    clearTimeout(this.tick);
    clearTimeout(this.due);
    clearTimeout(this.pause);
    clearTimeout(this.watch);
    window.removeEventListener("online", this.again);
    this.socket?.close();
  }

  connect() {
    if (this.ended) return;
    clearTimeout(this.pause);
    let spoke = false;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/drafts/${this.draft}/together`);
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      spoke = true;
      clearTimeout(this.watch);
      this.watch = setTimeout(() => socket.close(), SILENCE);
      this.take(JSON.parse(data));
    };
    socket.onclose = () => {
      clearTimeout(this.watch);
      this.socket = null;
      this.up = false;
      if (this.ended) return;
      this.cursors.put([]);
      this.standing();
      if (!spoke) isGone(this.draft).then((gone) => gone && this.over("gone"));
      this.pause = setTimeout(this.again, PAUSES[Math.min(this.tries++, PAUSES.length - 1)] * (0.8 + Math.random() * 0.4));
    };
  }

  say(frame) {
    if (this.up && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  flush() {
    clearTimeout(this.tick);
    this.tick = null;
    if (!this.up || !this.waiting.length) return;
    const change = joined(this.waiting);
    this.waiting = [];
    this.send(change);
  }

  send(change) {
    if (change.length > TOO_MUCH) return this.hear.trouble("This is too large to be written together. Attach it as a file.");
    this.number += 1;
    this.sent.push({ number: this.number, change });
    this.say({ frame: "change", number: this.number, change: pack(change) });
  }

  standing() {
    this.hear.standing({ up: this.up, stored: this.allStored });
  }

  take(frame) {
    switch (frame.frame) {
      case "welcome":
        this.up = true;
        this.plain = frame.draft.html === null;
        if (frame.begun) this.begin(unpack(frame.begun));
        else this.say({ frame: "begin", change: pack(this.first(frame.draft)) });
        return;
      case "begun":
        return this.begin(unpack(frame.change));
      case "missing": {
        Y.applyUpdate(this.doc, unpack(frame.change), this);
        this.tries = 0;
        // Whatever the server has not told to have stored it does not have: it is in here.
        this.waiting = [];
        this.sent = [];
        this.number = this.stored = 0;
        const lacking = Y.encodeStateAsUpdate(this.doc, unpack(frame.state));
        if (says(lacking)) this.send(lacking);
        else {
          this.letGo();
          if (lingering.get(this.draft) === this) return this.end();
        }
        if (!this.ready) {
          this.ready = true;
          this.hear.ready(this);
        } else this.hear.fields(this.fields());
        const at = this.cursors.getLocalState().cursor;
        this.say({ frame: "cursor", client: this.doc.clientID, cursor: at ? JSON.stringify(at) : null });
        return this.standing();
      }
      case "changed":
        Y.applyUpdate(this.doc, unpack(frame.change), this);
        return;
      case "stored":
        this.stored = Math.max(this.stored, frame.number);
        this.sent = this.sent.filter((each) => each.number > this.stored);
        if (this.allStored) this.letGo();
        this.standing();
        if (lingering.get(this.draft) === this && this.allStored) this.end();
        return;
      case "writers":
        this.cursors.put(frame.writers);
        return this.hear.writers(frame.writers);
      case "refused":
        return this.hear.trouble(`${frame.message} ${frame.remedy}`);
      case "closing":
        if (["too_slow", "shutting_down", "failed"].includes(frame.reason)) return;
        this.over(frame.reason);
    }
  }

  /** It has ended for good. */
  over(reason) {
    if (this.ended) return;
    const alone = lingering.get(this.draft) === this; // no composer has this any more
    const lost = alone ? !this.allStored || this.brought.length > 0 : reason === "refused" && this.brought.length > 0;
    this.end();
    if (reason === "no_access") this.letGo();
    else if (lost && reason !== "signed_out") this.rescue();
    this.hear.over(reason);
  }

  begin(change) {
    this.begun = change;
    this.say({ frame: "has", state: pack(Y.encodeStateVector(this.doc)) });
  }

  /** The draft as the server has it, as the document's first change. */
  first(draft) {
    const fresh = new Y.Doc();
    prosemirrorToYXmlFragment(written(draft.id, draft.html === null, draft), fresh.getXmlFragment(`body:${draft.id}`));
    for (const name of FIELDS) fresh.getMap(`fields:${draft.id}`).set(name, draft[name]);
    return Y.encodeStateAsUpdate(fresh);
  }
}
