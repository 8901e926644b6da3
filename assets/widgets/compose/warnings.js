// What a person may have overlooked, said before a mail is sent. Each is a sentence; whoever means it sends anyway.

const MANY = 10;
/** Words that speak of an attachment, in the languages that people use. Not "file" or "document": too many mean others. */
const ATTACHED = [
  "attached", "attachment", "attachments", "attaching", "enclosed", // English
  "anbei", "angehängt", "anhang", "beigefügt", "beigefügte", "beigefügten", "anlage", // German
  "ci-joint", "ci-jointe", "ci-joints", "ci-jointes", "pièce jointe", "pièces jointes", // French
  "adjunto", "adjunta", "adjuntos", "adjuntas", // Spanish
  "em anexo", "anexo", "anexos", "anexado", // Portuguese
  "allegato", "allegata", "allegati", "in allegato", // Italian
  "bijlage", "bijlagen", "bijgevoegd", "bijgevoegde", // Dutch
  "bifogad", "bifogat", "bifogade", "bilaga", "vedhæftet", "vedhæftede", "vedlagt", "vedlegg", // Swedish, Danish, Norwegian
  "liitteenä", "liite", // Finnish
  "załączam", "załącznik", "załączniku", "w załączeniu", // Polish
  "příloha", "příloze", "přikládám", "mellékelve", "csatolva", "melléklet", "atașat", "atașament", // Czech, Hungarian, Romanian
  "во вложении", "вложение", "прилагаю", "прикрепил", "прикрепила", "у вкладенні", "додаю", // Russian, Ukrainian
  "ekte", "ektedir", "ekteki", // Turkish
];
const WORDS = new RegExp(`(?<![\\p{L}\\p{N}])(?:${ATTACHED.join("|")})(?![\\p{L}\\p{N}])|添付|附件|첨부`, "iu");

const unquoted = (text) =>
  text
    .split("\n")
    .filter((line) => !line.startsWith(">"))
    .join("\n");

export const speaksOfAttachment = (text) => WORDS.test(unquoted(text.normalize("NFC")));

/** What nobody could fill in, or only its writer can, as templates write it: [contact phone], [order number]. */
export const UNFILLED = /\[[a-z][\p{L}\d '’,./-]{1,60}\]|\{\{[^{}\n]{1,80}\}\}/gu;
export const unfilledIn = (text) => [...new Set(unquoted(text).match(UNFILLED) ?? [])];

const domain = (person) => person.address.split("@").at(-1).toLowerCase();

/**
 * `draft`: what the composer began with ({ kind, to, inside: domains of ours }); `written`: what stands there now
 * ({ to, cc, bcc, subject, text, html, files: number }), and `from` is as whom, where known
 * ({ address, verified, canAsk: whether addresses can be verified here }).
 */
export const warningsOf = (draft, written) => {
  const people = [...written.to, ...written.cc, ...written.bcc];
  const told = [];
  if (!written.subject.trim()) told.push("This mail has no subject.");
  if (written.from?.canAsk && !written.from.verified) told.push(`Nobody has said yet that ${written.from.address} is theirs.`);
  const unfilled = unfilledIn(`${written.subject}\n${written.text}\n${written.signature ?? ""}`);
  if (unfilled.length) told.push(`${unfilled.join(", ")} ${unfilled.length > 1 ? "are" : "is"} not filled in.`);
  const pictured = /<img\b/.test(written.html ?? "");
  if (!written.files && !pictured && speaksOfAttachment(written.text)) told.push("You write of an attachment, and there is none.");
  if (draft.kind === "reply_all" && people.length >= MANY) told.push(`Your answer goes to all ${people.length} people.`);
  const inside = people.filter((each) => draft.inside.includes(domain(each)));
  const answered = draft.kind === "reply" || draft.kind === "reply_all" ? draft.to.map((each) => each.address.toLowerCase()) : [];
  const outside = people.filter((each) => !inside.includes(each) && !answered.includes(each.address.toLowerCase()));
  if (outside.length && inside.length > outside.length) {
    const names = outside.map((each) => each.name || each.address);
    told.push(`${names.join(", ")} ${names.length > 1 ? "are" : "is"} outside of your organisation; the others are inside.`);
  }
  return told;
};
