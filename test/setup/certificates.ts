import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Made once with openssl, valid for a hundred years. Nobody but these tests trusts the authority.

/** The file with the certificate of the authority, for NODE_EXTRA_CA_CERTS. */
export const AUTHORITY_FILE = toPath('authority.pem');

/** For an HTTPS server: a certificate for `localhost`, and one for another host. */
export const CERTIFICATES = {
  localhost: { key: read('server-key.pem'), cert: read('localhost.pem') },
  otherHost: { key: read('server-key.pem'), cert: read('other-host.pem') },
};

function toPath(file: string): string {
  return fileURLToPath(new URL(`certificates/${file}`, import.meta.url));
}

function read(file: string): string {
  return readFileSync(toPath(file), 'utf8');
}
