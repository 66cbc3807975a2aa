import { readChoice, type Search } from '../parts/search.ts';

/** Which way of adding servers is open. Absent: by URL. */
export interface NewServerSearch {
  by?: 'file' | 'examples';
}

/** Reads the address of the page that adds servers. */
export function readNewServerSearch(search: Search): NewServerSearch {
  return readChoice(search, 'by', ['file', 'examples']);
}
