import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// A program for `fork`: a server that nobody attacks, with a little work for each call. If its answers are late, the
// machine is busy, whoever keeps it busy. Sends its port to the parent.

const ROWS = JSON.stringify(Array.from({ length: 4_000 }, (_, index) => ({ id: index, name: `Row ${index}` })));

const server = createServer((_request, response) => {
  response.end(JSON.stringify({ rows: JSON.parse(ROWS).length }));
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
