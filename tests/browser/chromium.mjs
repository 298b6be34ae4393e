// What the scripts that drive Chromium share.
import { createRequire } from 'node:module';
const { chromium } = createRequire(process.env.PLAYWRIGHT_FROM + '/')('playwright-core');

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launch = (executablePath) => chromium.launch({ executablePath, args });

export function check(name, ok, note = '') {
  console.log(`${ok ? 'PASS' : 'FAIL'}  ${name}${note && `  (${note})`}`);
}

export async function until(what, ms = 20000) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) if (await what()) return true;
  return false;
}
