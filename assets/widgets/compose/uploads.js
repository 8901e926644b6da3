// Files on their way up, in parts. A broken line, a reload or a restart of the server costs one part at most: the server
// says how far a file came, and it goes on there. What is on its way lives here, not in a composer: that may close, and
// open again. A file is kept in the browser while it goes up, so that it goes on by itself after a reload.
import { Refused, ask, get, told } from "../api.js";
import { sizeOf } from "../sizes.js";

const SMALLEST = 64 * 1024;
const LARGEST = 4 * 1024 * 1024;
const WANTED = 1500; // milliseconds for a part: small ones on a slow line, where more would be lost
const PATIENCE = 60_000;
const LONGEST_WAIT = 15_000;
const LARGEST_KEPT = 256 * 1024 * 1024; // a larger file is chosen again after a reload, rather than copied to the disk
const KEPT_FOR = 24 * 3600_000;
export const UPLOADS_KEPT = "tandem-files";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/** The line may be back, or it is time to see. */
const untilBack = (ms) =>
  new Promise((done) => {
    const over = () => (removeEventListener("online", over), clearTimeout(timer), done());
    const timer = setTimeout(over, ms);
    addEventListener("online", over);
  });

/** One request; answers what it said, or null when the line or the server is away. Throws what the server refuses. */
const attempt = async (method, path, { body, headers, signal } = {}) => {
  try {
    const limit = AbortSignal.timeout(PATIENCE);
    const answer = await ask(method, path, body, { headers, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    if (answer.status >= 500 || answer.status === 429) return null;
    return (await told(answer)) ?? {};
  } catch (fault) {
    if (fault instanceof Refused && fault.status === 409 && Number.isInteger(fault.details?.offset)) return { elsewhere: fault.details.offset };
    if (fault instanceof Refused || signal?.aborted) throw fault;
    return null; // the line broke, or the answer came half
  }
};
const persist = async (method, path, { body, signal, onAway }) => {
  for (let wait = 500; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    const said = await attempt(method, path, { body, signal });
    if (said) return said;
    onAway?.();
    await untilBack(wait);
    signal?.throwIfAborted();
  }
};

/** What a draft still takes, and what is half up: { room, largest_link, unfinished }. */
export const standingOf = (draft) => get(`/drafts/${draft}/uploads`);

/**
 * Send a file up; answers the draft as it is then, or the link. `upload` is one that was begun before. `on` hears
 * { begun, progress, away }. Throws an Error whose message is what to say.
 */
export const sendUp = async (draft, file, { upload = null, linkDays = 0, inText = false, signal, on = {} } = {}) => {
  const place = `/drafts/${draft}/uploads`;
  if (!upload) {
    const given = { filename: file.name, size: file.size, content_type: file.type || "application/octet-stream", modified: file.lastModified || 0, link_days: linkDays };
    upload = await persist("POST", place, { body: given, signal, onAway: on.away });
    await on.begun?.(upload);
  }
  const path = `${place}/${upload.id}`;
  const end = upload.link_days ? "link" : `attach${inText ? "?in_text=true" : ""}`;
  let { offset } = upload;
  let wait = 500;
  on.progress?.(offset / Math.max(1, file.size));
  for (let part = 4 * SMALLEST; ; ) {
    if (offset >= file.size) {
      const made = await persist("POST", `${path}/${end}`, { signal, onAway: on.away });
      if (made.elsewhere === undefined) return made;
      offset = made.elsewhere;
      continue;
    }
    const body = await file.slice(offset, offset + part).arrayBuffer().catch(() => {
      throw new Error("The file was changed or removed meanwhile. Choose it again.");
    });
    const began = performance.now();
    const headers = { "content-type": "application/octet-stream", "upload-offset": String(offset) };
    let said = await attempt("PATCH", path, { body, headers, signal });
    if (!said) {
      on.away?.();
      part = SMALLEST;
      await untilBack(wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
      signal?.throwIfAborted();
      said = await persist("GET", path, { signal, onAway: on.away }); // how far did it come?
      if (said.offset === offset) continue; // asking gets through, the part does not
    } else if (performance.now() - began < WANTED / 2) part = Math.min(part * 2, LARGEST);
    else if (performance.now() - began > WANTED * 2) part = Math.max(part / 2, SMALLEST);
    offset = said.elsewhere ?? said.offset;
    wait = 500;
    on.progress?.(offset / file.size);
  }
};

// ---- the files themselves, kept in the browser for as long as they are on their way

const kept = (mode, deed) =>
  new Promise((done, fail) => {
    const open = indexedDB.open(UPLOADS_KEPT, 1);
    open.onupgradeneeded = () => open.result.createObjectStore("files");
    open.onerror = () => fail(open.error);
    open.onsuccess = () => {
      const all = open.result.transaction("files", mode);
      const asked = deed(all.objectStore("files"));
      all.oncomplete = () => (open.result.close(), done(asked?.result));
      all.onabort = all.onerror = () => (open.result.close(), fail(all.error));
    };
  });
/** A browser that keeps nothing (private windows, no room) asks for the file again after a reload: that is all. */
const tried = (kept) => kept.catch((fault) => void console.info("The file is not kept in the browser", fault?.name));
const keep = (id, file) => (file.size > LARGEST_KEPT ? null : tried(kept("readwrite", (files) => files.put({ file, at: Date.now() }, id))));
const forget = (id) => tried(kept("readwrite", (files) => files.delete(id)));
const find = async (id) => (await tried(kept("readonly", (files) => files.get(id))))?.file ?? null;
const forgetOld = () =>
  tried(
    kept("readwrite", (files) => {
      files.openCursor().onsuccess = ({ target: { result: each } }) => {
        if (!each) return;
        if (Date.now() - each.value.at > KEPT_FOR) each.delete();
        each.continue();
      };
    }),
  );

// ---- all that is on its way, by draft

/**
 * Each: { key, id, name, size, done, state, error, link }; `state` is "up"; "away" while the line is down; "large": to be
 * decided; "half": its file is to be chosen again; "ready": a link to be put into the text; or "failed".
 */
const drafts = new Map();
const ears = new Map();
const looked = new Set();

export const uploadsOf = (draft) => drafts.get(draft) ?? [];
const tell = (draft, list) => {
  drafts.set(draft, list);
  ears.get(draft)?.changed();
};
const change = (draft, key, what) => tell(draft, uploadsOf(draft).map((each) => (each.key === key ? { ...each, ...what } : each)));
const drop = (draft, key) => tell(draft, uploadsOf(draft).filter((each) => each.key !== key));

/** `ear` hears { changed, attached, put }; `put` answers whether it took the link. Answers how to stop. */
export const listen = (draft, ear) => {
  ears.set(draft, ear);
  for (const each of uploadsOf(draft)) if (each.state === "ready") handOver(draft, each.key, each.made);
  if (!looked.has(draft)) {
    looked.add(draft);
    goOn(draft).catch(() => looked.delete(draft)); // the line is down: the next composer looks again
  }
  return () => ears.get(draft) === ear && ears.delete(draft);
};

const handOver = async (draft, key, made) => {
  change(draft, key, { state: "ready", made });
  while (ears.get(draft) && uploadsOf(draft).some((each) => each.key === key)) {
    if (ears.get(draft).put(made)) return drop(draft, key);
    await sleep(200); // the editor is still on its way
  }
};

const run = async (draft, entry, file, upload = null) => {
  const stop = new AbortController();
  change(draft, entry.key, { state: "up", stop, file });
  let id = upload?.id;
  try {
    const made = await sendUp(draft, file, {
      upload,
      linkDays: entry.linkDays,
      signal: stop.signal,
      on: {
        begun: (begun) => {
          id = begun.id;
          change(draft, entry.key, { id });
          return keep(id, file);
        },
        progress: (done) => change(draft, entry.key, { done, state: "up" }),
        away: () => change(draft, entry.key, { state: "away" }),
      },
    });
    forget(id);
    if (made.url) return handOver(draft, entry.key, made);
    drop(draft, entry.key);
    ears.get(draft)?.attached();
  } catch (fault) {
    if (id && fault.status !== 401 && fault.status !== 403) forget(id); // those say nothing of the file
    if (!stop.signal.aborted) change(draft, entry.key, { state: "failed", error: fault.message });
  }
};

const entryOf = (file, more) => ({ key: Math.random(), id: 0, name: file.name ?? file.filename, size: file.size, done: 0, state: "up", error: "", linkDays: 0, ...more });

/** Files for a draft. Those that the mail does not take wait for what is decided about them. */
export const addFiles = async (draft, list) => {
  const entries = list.map((file) => {
    const half = uploadsOf(draft).find((each) => each.state === "half" && each.name === file.name && each.size === file.size && each.upload.modified === file.lastModified);
    if (half) return void run(draft, half, file, half.upload);
    const entry = entryOf(file, { file });
    tell(draft, [...uploadsOf(draft), entry]);
    return entry;
  });
  if (!entries.some(Boolean)) return;
  let standing;
  try {
    standing = await standingOf(draft);
  } catch (fault) {
    for (const each of entries.filter(Boolean)) change(draft, each.key, { state: "failed", error: fault.message });
    return;
  }
  const others = uploadsOf(draft).filter((each) => !entries.includes(each) && ["up", "away", "half"].includes(each.state) && !each.linkDays);
  let room = standing.room - others.reduce((sum, each) => sum + each.size, 0);
  const fitting = [];
  for (const entry of entries.filter(Boolean)) {
    if (entry.size <= room) {
      room -= entry.size;
      fitting.push(entry);
    } else if (entry.size <= standing.largest_link) change(draft, entry.key, { state: "large" });
    else change(draft, entry.key, { state: "failed", error: `larger than ${sizeOf(standing.largest_link || standing.room)}` });
  }
  for (const entry of fitting) if (uploadsOf(draft).some((each) => each.key === entry.key)) await run(draft, entry, entry.file);
};

/** Put a file that the mail does not take into it as a link. */
export const asLink = (draft, key, linkDays) => {
  const entry = uploadsOf(draft).find((each) => each.key === key);
  change(draft, key, { linkDays });
  run(draft, { ...entry, linkDays }, entry.file);
};

/** Not wanted any more. */
export const giveUp = (draft, key) => {
  const entry = uploadsOf(draft).find((each) => each.key === key);
  entry?.stop?.abort();
  drop(draft, key);
  if (!entry?.id) return;
  forget(entry.id);
  attempt("DELETE", `/drafts/${draft}/uploads/${entry.id}`).catch(() => {}); // it is gone within a day anyway
};

/** After a reload: what is half up goes on where its file is still there. */
const goOn = async (draft) => {
  forgetOld();
  const { unfinished } = await standingOf(draft);
  for (const upload of unfinished) {
    if (uploadsOf(draft).some((each) => each.id === upload.id)) continue;
    const entry = entryOf(upload, { id: upload.id, upload, linkDays: upload.link_days, done: upload.offset / Math.max(1, upload.size), state: "half" });
    tell(draft, [...uploadsOf(draft), entry]);
    find(upload.id).then((file) => file && run(draft, entry, file, upload));
  }
};
