import { readChoice, readText, type Search } from '../parts/search.ts';

/** The filters of the list of servers. */
export interface ServersSearch {
  q?: string;
  state?: 'on' | 'off' | 'UNAVAILABLE';
  auth?: 'NONE' | 'OAUTH2' | 'API_KEY' | 'CUSTOM_HEADERS';
  availability?: 'FORCE_ON' | 'DEFAULT_ON' | 'DEFAULT_OFF';
  /** Cursor of the last server of the page before. */
  after?: string;
}

/** Reads the address of the list of servers. */
export function readServersSearch(search: Search): ServersSearch {
  return {
    ...readText(search, 'q'),
    ...readChoice(search, 'state', ['on', 'off', 'UNAVAILABLE']),
    ...readChoice(search, 'auth', ['NONE', 'OAUTH2', 'API_KEY', 'CUSTOM_HEADERS']),
    ...readChoice(search, 'availability', ['FORCE_ON', 'DEFAULT_ON', 'DEFAULT_OFF']),
    ...readText(search, 'after'),
  };
}
