import { createElement as h, useEffect, useRef, useState } from "react";
import { get, holding, send } from "./api.js";
import { icon } from "./compose/icons.jsx";
import { sizeOf } from "./sizes.js";

// The organisation's documents: uploaded, found, renamed, shared, brought up to date and deleted. `shares` are those with
// whom a document can be shared, { value, label }: everybody, nobody, or a team of the person by its number.
const day = (at) => new Date(at).toLocaleDateString();

export function Documents({ shares }) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState(null);
  const [changing, setChanging] = useState(0); // the number of the document whose form stands open
  const [fault, setFault] = useState("");
  const [said, setSaid] = useState("");
  const picker = useRef(null);
  const newer = useRef(null);
  const of = useRef(0); // the document that a newer version is chosen for

  const look = () => get(`/documents?q=${encodeURIComponent(words)}`).then(setFound, (refused) => setFault(refused.message));
  useEffect(() => {
    const timer = setTimeout(look, found === null ? 0 : 200);
    return () => clearTimeout(timer);
  }, [words]);
  const attempt = async (words, deed) => {
    setFault("");
    setSaid("");
    try {
      await deed();
      setSaid(words);
      setChanging(0);
    } catch (refused) {
      setFault(refused.message);
    }
    await look();
  };
  const upload = (files) =>
    attempt(files.length === 1 ? "Uploaded" : `${files.length} documents uploaded`, async () => {
      for (const [i, file] of files.entries()) {
        setSaid(`Uploading ${file.name}${files.length > 1 ? `, ${i + 1} of ${files.length}` : ""}`);
        await send("POST", "/documents", holding(file));
      }
    });
  const chosen = (deed) => (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    if (files.length) deed(files);
  };
  const save = (each) => (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const share = form.get("share");
    const team_id = /^\d+$/.test(share) ? Number(share) : null;
    attempt("Saved", () => send("PUT", `/documents/${each.id}`, { name: form.get("name"), folder: form.get("folder"), shared: team_id ? "team" : share, team_id }));
  };

  const shared = (each) => ({ nobody: "only for its maker", everybody: "for everybody", team: "for a team" })[each.shared];
  const field = (label, name, value) => h("label", { className: "field" }, h("span", { className: "label" }, label), h("input", { className: "input", name, defaultValue: value, autoComplete: "off" }));
  const form = (each) =>
    h(
      "form",
      { className: "form document-form", onSubmit: save(each) },
      h(
        "div",
        { className: "field-pairs" },
        field("Name", "name", each.name),
        field("Folder", "folder", each.folder),
        h(
          "label",
          { className: "field" },
          h("span", { className: "label" }, "Who can use it"),
          h("select", { className: "select", name: "share", defaultValue: each.shared === "team" ? String(each.team_id) : each.shared }, shares.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
        ),
      ),
      h(
        "ul",
        { className: "document-versions", "aria-label": `Versions of ${each.name}` },
        each.versions.map((one) => h("li", { key: one.number }, h("a", { className: "link", href: `/api/v1/documents/${each.id}/versions/${one.number}`, download: one.filename }, `Version ${one.number}: ${one.filename}`), h("small", null, ` ${sizeOf(one.size)} · ${day(one.uploaded_at)}`))),
      ),
      h(
        "div",
        { className: "form-foot" },
        h("button", { type: "submit", className: "btn pri" }, "Save"),
        h("button", { type: "button", className: "btn", onClick: () => ((of.current = each.id), newer.current.click()) }, "Upload a new version"),
        h("button", { type: "button", className: "btn", onClick: () => setChanging(0) }, "Cancel"),
        h("span", { className: "grow" }),
        h(
          "details",
          { className: "sure" },
          h("summary", { className: "btn bad" }, "Delete"),
          h("div", { className: "float sure-box" }, h("p", null, "All its versions are gone. Mails that it was attached or linked to keep it."), h("button", { type: "button", className: "btn danger", onClick: () => attempt("Document deleted", () => send("DELETE", `/documents/${each.id}`)) }, "Delete the document")),
        ),
      ),
    );
  return h(
    "div",
    { className: "documents" },
    h(
      "div",
      { className: "documents-head" },
      h("input", { type: "search", className: "input", value: words, placeholder: "Find by name, folder or file", "aria-label": "Find a document", onChange: (event) => setWords(event.target.value) }),
      h("button", { type: "button", className: "btn pri", onClick: () => picker.current.click() }, "Upload"),
      h("input", { ref: picker, type: "file", multiple: true, hidden: true, "aria-label": "Documents to upload", onChange: chosen(upload) }),
      h("input", { ref: newer, type: "file", hidden: true, "aria-label": "The new version", onChange: chosen(([file]) => attempt("The new version is there", () => send("POST", `/documents/${of.current}/versions`, holding(file)))) }),
    ),
    h("p", { className: "third", role: "status" }, said),
    fault && h("p", { className: "form-problem", role: "alert" }, fault),
    found?.length === 0 && h("p", { className: "third" }, words ? "Nothing found. Look for other words." : "No documents yet. What you upload is there for everybody who writes a mail."),
    found?.length > 0 &&
      h(
        "section",
        { className: "card", "aria-label": "Documents" },
        h(
          "div",
          { className: "card-body" },
          h(
            "ul",
            { className: "lines" },
            found.map((each) =>
              h(
                "li",
                { key: each.id },
                // Before it is known with whom it can be shared, nothing could be saved.
                changing === each.id && shares.length
                  ? form(each)
                  : [
                      h("span", { key: "picture" }, icon("file", 16)),
                      h("div", { key: "words", className: "line-text" }, h("b", null, each.name), h("small", null, [each.folder, each.versions[0].filename, sizeOf(each.versions[0].size), `version ${each.versions[0].number}`, shared(each)].filter(Boolean).join(" · "))),
                      h("a", { key: "get", className: "btn", href: `/api/v1/documents/${each.id}/versions/${each.versions[0].number}`, download: each.versions[0].filename, "aria-label": `Download ${each.name}` }, "Download"),
                      each.changeable && h("button", { key: "edit", type: "button", className: "btn", "aria-label": `Change ${each.name}`, onClick: () => setChanging(each.id) }, "Change"),
                    ],
              ),
            ),
          ),
        ),
      ),
  );
}
