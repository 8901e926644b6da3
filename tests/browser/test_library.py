"""The library's templates on the narrowest phones, as the reading pane shows them."""

import pytest
from playwright.async_api import Browser

from backend.templates.filling import example_values
from backend.templates.language import render
from backend.templates.library import shipped_templates, with_examples
from sync.mime.page import document
from sync.mime.sanitise import sanitise_html

pytestmark = pytest.mark.browser

TORN = """() => {
  const torn = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("style")) continue;
    for (const found of node.data.matchAll(/[^\\s@]+(?=\\s|$)/g)) {
      if (found.index && node.data[found.index - 1] === "@") continue;
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const tops = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
      if (tops.size > 1) torn.push(found[0]);
    }
  }
  return [torn, document.documentElement.scrollWidth];
}"""
"""Words of which a part stands on another line, and how wide the page came out."""


async def test_at_320_pixels_nothing_is_cut_off_and_no_word_torn(chromium: Browser) -> None:
    page = await chromium.new_page(viewport={"width": 320, "height": 600})
    for template in shipped_templates():
        html = render(with_examples(template.html, template.gaps), example_values(), html=True).text
        clean = sanitise_html(html, inline_images={}, show_remote=False, proxy_url=None)
        await page.set_content(document(clean.html, dark=False, declares_dark=clean.declares_dark))
        torn, wide = await page.evaluate(TORN)
        assert (template.key, torn, wide) == (template.key, [], 320)
    await page.close()


async def test_a_button_is_large_enough_for_a_thumb_and_all_of_it_leads_somewhere(chromium: Browser) -> None:
    page = await chromium.new_page(viewport={"width": 320, "height": 600})
    buttons = 0
    for template in shipped_templates():
        await page.set_content(template.html)
        for size in await page.eval_on_selector_all(
            "a", "links => links.map((each) => [each.offsetHeight, each.offsetWidth, each.parentElement.offsetWidth])"
        ):
            height, width, around = size
            assert height >= 44, template.key
            assert width == around, template.key
            buttons += 1
    assert buttons >= 10
    await page.close()
