// HTML of a mail in a frame in which nothing runs and nothing is fetched from elsewhere.
const SHOWN = "margin:0;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5;overflow:hidden";
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:";
const CID = /\bcid:([A-Za-z0-9.@_+-]+)/g;

/** HTML with the pictures that it names by `cid:` as they are found at `pictures`. */
export const withPictures = (html, pictures) => html.replace(CID, `${pictures}/$1`);

/** A page that shows HTML and runs nothing. `pictures` is where those named by `cid:` are found. */
export const pageOf = (html, pictures, look = SHOWN, styles = "") =>
  `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">${styles}<body style="${look}">${withPictures(html, pictures)}`;
