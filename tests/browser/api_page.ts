/**
 * The page of the listing's API in a real browser: complete without scripts, and accessible. Its text is tested in
 * tests/listing/pages/api_page_test.ts.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  accessibilityFaults,
  DESK,
  PHONE,
  resize,
  sidewaysOverflow,
  testInBrowser,
} from "../support/browser.ts";
import { startTestListing } from "../support/listing_server.ts";

testInBrowser(
  "the API's page is accessible, light and dark, at every width",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    for (
      const [size, schemes, ...widths] of [
        [PHONE, ["light"], 320, 375],
        [DESK, ["light", "dark"], 640, 768, 900, 1280],
      ] as const
    ) {
      const page = await visitor({ size });
      // axe is a script, which the page's own policy forbids.
      await page.setBypassCSP(true);
      await page.goto(`${listing.url}/docs`);
      assertEquals(await accessibilityFaults(page, schemes), [], `at ${size.width}`);
      for (const width of widths) {
        await resize(page, { width });
        assert(await sidewaysOverflow(page) <= 0, `at ${width}`);
      }
    }
  },
);

testInBrowser("from the list one comes to the API's page, and there to each request", async ({ visitor }) => {
  await using listing = await startTestListing();
  const page = await visitor({ script: false });
  await page.goto(listing.url);
  await Promise.all([page.waitForNavigation(), page.click('footer a[href="docs"]')]);
  assertEquals(await page.title(), "The API of this listing");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.click('nav a[href="#put-servers-id"]');
  const top = await page.$eval("#put-servers-id", (heading) => heading.getBoundingClientRect().top);
  assert(top >= 0 && top < 100, `its heading is at ${top}`);
});
