import { readChoice, type Search } from '../parts/search.ts';

/** Which part of a server's page is open. Absent: its settings. */
export interface ServerSearch {
  view?: 'tools' | 'history';
}

/** Reads the address of a server's page. */
export function readServerSearch(search: Search): ServerSearch {
  return readChoice(search, 'view', ['tools', 'history']);
}
