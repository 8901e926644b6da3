// What this person opened last in this browser: keys of things (`c12` a conversation, `contact-3`, `m4` a mailbox), of
// which the index knows what they are, as long as they see them.
const KEPT = 40;
const DWELL = 1200; // a conversation that one passes by was not opened
let me = 0;
let keys = [];
let dwelling = 0;

const name = () => `tandem-recent-${me}`;

const read = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(name()) ?? "[]");
    return Array.isArray(kept) ? kept.filter((key) => typeof key === "string") : [];
  } catch {
    return []; // not written by us, or none are kept in this browser
  }
};

export const begin = (person) => {
  if (person === me) return;
  me = person;
  keys = read();
};

export const note = (key) => {
  if (!me) return;
  keys = [key, ...read().filter((each) => each !== key)].slice(0, KEPT);
  try {
    localStorage.setItem(name(), JSON.stringify(keys));
  } catch {
    console.info("This browser keeps nothing: recent things are known until the page is left.");
  }
};

export const recent = () => keys;

window.addEventListener("tandem:shown", () => {
  const id = window.tandem?.selected;
  clearTimeout(dwelling);
  if (id && keys[0] !== `c${id}`) dwelling = setTimeout(() => window.tandem.selected === id && note(`c${id}`), DWELL);
});
