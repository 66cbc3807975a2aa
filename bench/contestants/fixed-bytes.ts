import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

// An upper bound: Node's HTTP server sends the same bytes to everyone, read once from a file.
const { values } = parseArgs({ options: { bytes: { type: 'string' } } });
if (values.bytes === undefined) throw new Error('--bytes is missing');
const bytes = await readFile(values.bytes);

createServer((request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');
