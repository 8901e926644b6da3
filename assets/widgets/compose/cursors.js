import * as Y from "yjs";

// The cursors of those who write in the same draft.

/** Where the others' cursors stand, in the form that the editor's plugin asks for. Names come from the server. */
export class Cursors {
  constructor(doc, tell) {
    this.doc = doc;
    this.clientID = doc.clientID;
    this.states = new Map();
    this.hearers = new Set();
    this.tell = tell;
  }
  getStates = () => this.states;
  getLocalState = () => this.states.get(this.clientID) ?? {};
  on = (_, hear) => this.hearers.add(hear);
  off = (_, hear) => this.hearers.delete(hear);
  setLocalStateField = (name, value) => {
    this.states.set(this.clientID, { ...this.getLocalState(), [name]: value });
    if (name === "cursor") this.tell(value);
  };
  put(writers) {
    const own = this.states.get(this.clientID);
    this.states = new Map(own ? [[this.clientID, own]] : []);
    for (const each of writers) this.states.set(each.client, { user: { name: each.name.split(" ")[0], colour: each.colour % 10, color: "#000000" }, cursor: cursorOf(each) });
    for (const hear of this.hearers) hear();
  }
}

const cursorOf = (writer) => {
  try {
    const told = JSON.parse(writer.cursor);
    return { anchor: Y.createRelativePositionFromJSON(told.anchor), head: Y.createRelativePositionFromJSON(told.head) };
  } catch {
    return null; // nowhere, or said by a client of another kind
  }
};

export const caret = (user) => {
  const mark = document.createElement("span");
  mark.className = `caret-of who${user.colour}`;
  const name = document.createElement("span");
  name.className = "caret-name";
  name.textContent = user.name;
  // Joiners around it: the cursor is no place where a line may be broken.
  mark.append("\u2060", name, "\u2060");
  return mark;
};
