// The words of a part that is laid out. It is read in a document in which nothing runs or is loaded.
export const inert = (html) => new DOMParser().parseFromString(html, "text/html").body;

export const texts = (body) => {
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) if (walker.currentNode.data.trim()) found.push(walker.currentNode);
  return found;
};

/** What such a part says, a line for each piece. */
export const designedLines = (html) => texts(inert(html)).map((node) => node.data.trim().replace(/\s+/g, " "));
