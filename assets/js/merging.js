// Merging: the rows that another one takes in are gone at once; the server then confirms, or puts them back.
(() => {
  const tandem = (window.tandem ??= {});
  const PAUSE_MS = 150; // after the last letter of a search

  /** The oldest takes in the others. */
  const merge = (ids) => {
    const [kept, ...others] = [...new Set(ids)].sort((a, b) => a - b);
    if (!others.length) return;
    tandem.bridge?.merge([kept, ...others]);
    if (others.includes(tandem.selected)) tandem.select(kept);
    tandem.leave(...others);
    tandem.unmark();
  };

  const takeBack = (id) => tandem.bridge?.unmerge(id, 0);

  const find = (words) => tandem.bridge?.findMergeable(tandem.about.ids[0] ?? 0, words);
  document.addEventListener("tandem:menu", (event) => {
    if (event.target.dataset.panel === "merge") find("");
  });
  let waiting = 0;
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-find-mergeable]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => find(event.target.value), PAUSE_MS);
  });

  Object.assign(tandem, { merge, takeMergeBack: takeBack });
})();
