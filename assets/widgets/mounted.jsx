import { useEffect } from "react";

// Tells the scripts that React owns the page now: what they write into it before would be lost. A script that comes
// later than this finds the mark.
export function Mounted() {
  useEffect(() => {
    document.documentElement.dataset.mounted = "yes";
    window.dispatchEvent(new Event("tandem:mounted"));
  }, []);
  return null;
}
