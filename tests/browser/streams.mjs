// Writes the streams of vector files into a folder, one file a case, and what is expected of them into cases.json.
// usage: node streams.mjs FOLDER FILE.jsonl...
import { readFileSync, writeFileSync } from 'node:fs';

const [, , folder, ...files] = process.argv;
const cases = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)));
cases.forEach((it, i) => {
  it.name = `case-${i}`;
  const stream = Buffer.from(it.stream_hex, 'hex');
  // An id known from before is that of a stream before.
  writeFileSync(`${folder}/${it.name}`, it.seed ? `retry: 1\nid: ${it.seed}\n\n` : stream);
  if (it.seed) writeFileSync(`${folder}/${it.name}.again`, stream);
});
writeFileSync(`${folder}/cases.json`, JSON.stringify(cases));
