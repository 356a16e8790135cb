"""What is drawn on a page, read again as a camera does."""

import base64

import zxingcpp
from playwright.sync_api import Page

# gives the picture as shades of grey, one byte a dot
GREYS = """async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const dots = context.getImageData(0, 0, image.width, image.height).data;
  let text = '';
  for (let at = 0; at < dots.length; at += 4) text += String.fromCharCode(dots[at + 1]);
  return [image.width, image.height, btoa(text)];
}"""


def squares_on(page: Page, selector: str) -> list[str]:
    """Return what a decoder reads in the picture of an element, from left to right."""
    picture = base64.b64encode(page.locator(selector).first.screenshot()).decode()
    width, height, greys = page.evaluate(GREYS, f"data:image/png;base64,{picture}")
    image = memoryview(base64.b64decode(greys)).cast("B", (height, width))
    found = zxingcpp.read_barcodes(image)
    return [each.text for each in sorted(found, key=lambda each: each.position.top_left.x)]
