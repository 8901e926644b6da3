import { createElement as h } from "react";
import { besides } from "./beside.js";
import { OfferMenu } from "./offer.jsx";

// "@" at the start of a word offers colleagues and teams who see the conversation. Who is chosen is mentioned in the
// comment beside the mail, and the mail says nothing of it.
const AT = /(?:^|\s)@([^\s@][^\n@]{0,29})?$/;
const MOST = 7;

const draw = ({ name, initials, colour, team }) => ({
  picture: h("span", { className: `mini face${colour}`, "aria-hidden": true }, initials),
  name,
  hint: team ? "Team, in a comment" : "In a comment",
});

export function MentionMenu({ editor, conversation }) {
  const find = async (words) => {
    const sought = words.toLowerCase();
    const people = besides.get(conversation)?.people() ?? [];
    const fits = ({ name }) => name.toLowerCase().startsWith(sought) || name.toLowerCase().split(" ").some((word) => word.startsWith(sought));
    return people.filter(fits).slice(0, MOST).map((each) => ({ ...each, kind: each.team ? "team" : "person" }));
  };
  const mention = ({ name }) => besides.get(conversation)?.begin(name);
  return h(OfferMenu, { editor, id: "mention-menu", label: "People and teams, for a comment", sign: AT, find, draw, onTake: mention });
}
