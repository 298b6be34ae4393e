// Drives the page of examples/live in Chromium. usage: node live.mjs URL CHROMIUM SCREENSHOT
import { check, launch, until } from './chromium.mjs';

const [, , url, executablePath, screenshot] = process.argv;
const browser = await launch(executablePath);
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 880 } });
  const complaints = [];
  // A connection that is cut on purpose is reported as an error of the network, and only that.
  let cutting = false;
  page.on('console', (message) => message.type() === 'error' && !(cutting && /net::ERR|WebSocket|EventSource/.test(message.text())) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  await page.waitForFunction(() => window.hopwire?.panels.length === 4);
  const panels = () => page.evaluate(() => window.hopwire.panels.map(({ via, client, updates, reader }) => ({ via, client, updates, log: reader.log, resets: reader.resets, cursor: reader.cursor })));
  const click = (name) => page.getByRole('button', { name }).click();
  // Whether each log has one update after the other, whatever stands between resets.
  const gapless = (log) => log.every((id, i) => {
    const [epoch, seq] = id.split('.'), [before, n] = (log[i - 1] ?? 'reset').split('.');
    return id === 'reset' || before === 'reset' || (epoch === before && BigInt(seq) === BigInt(n) + 1n);
  });
  const all = async (test) => (await panels()).every(test);
  const more = async (n) => {
    const before = await panels();
    return until(async () => (await panels()).every((panel, i) => panel.updates >= before[i].updates + n));
  };

  check('every transport receives updates', await more(6));
  let now = await panels();
  const common = Math.min(...now.map(({ log }) => log.length));
  check('the same ones, from the first on', now.every(({ log }) => log.slice(0, common).join() === now[0].log.slice(0, common).join()), `${common} updates`);
  check('no complaint in the console', complaints.length === 0, complaints.join('; '));
  if (screenshot) {
    await page.waitForTimeout(12000);
    await page.screenshot({ path: screenshot });
  }

  cutting = true;
  for (const name of ['Short polling', 'Long polling', 'Server-Sent Events', 'WebSocket']) await click(`Cut the connection of ${name}`);
  check('after a cut, each goes on', await more(4));
  check('nothing lost, nothing repeated', await all(({ log, resets }) => gapless(log) && resets === 0));

  const order = ['ws', 'sse', 'short', 'long'];
  for (const [i, via] of order.entries()) await page.locator('section select').nth(i).selectOption(via);
  check('with another transport, each goes on', await more(4));
  check('nothing lost, nothing repeated', await all(({ log, resets }) => gapless(log) && resets === 0) && (await panels()).every(({ via }, i) => via === order[i]));

  for (const via of ['sse', 'long']) {
    for (let i = 0; i < 4; i++) await page.locator('section select').nth(i).selectOption(via);
    check(`with all four held open by the server (${via}), each goes on`, await more(3));
    const pace = () => page.textContent('#pace'), before = await pace();
    await click('Faster');
    check('and there is a connection left for the buttons', await until(async () => (await pace()) !== before, 5000));
    const { connections } = await page.evaluate(async () => (await fetch('/stats')).json());
    check('of six in all', connections <= 6, `${connections} open`);
    await click('Slower');
  }
  for (const [i, via] of order.entries()) await page.locator('section select').nth(i).selectOption(via);
  await more(2);
  check('nothing lost, nothing repeated', await all(({ log, resets }) => gapless(log) && resets === 0));

  await click('Restart the feed');
  check('a restart is told to each', await until(() => all(({ resets }) => resets === 1)));
  check('and each goes on with the new feed', await more(4));
  check('nothing lost, nothing repeated', await all(({ log }) => gapless(log)));

  await click('Flood');
  check('a flood goes by', await more(4));
  check('who was too slow was told, and nothing else is lost', await all(({ log, updates, resets }) => gapless(log) && (resets > 1 || updates > 400)));

  await page.keyboard.press('Tab');
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement.id)) !== 'pause'; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  check('the keyboard is enough', (await page.getAttribute('#pause', 'aria-pressed')) === 'true');
  await page.setViewportSize({ width: 360, height: 740 });
  check('it fits a phone', await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  check('no complaint in the console at the end', complaints.length === 0, complaints.join('; '));
} finally {
  await browser.close();
}
