import type { Role, UserOrder, UserStatus } from '../generated/graphql.ts';
import { readChoice, readText, type Search } from '../parts/search.ts';

/** The filters of the list of people. */
export interface PeopleSearch {
  q?: string;
  role?: Role;
  status?: UserStatus;
  order?: UserOrder;
  /** Cursor of the last user of the page before. */
  after?: string;
}

/** Reads the address of the list of people. */
export function readPeopleSearch(search: Search): PeopleSearch {
  return {
    ...readText(search, 'q'),
    ...readChoice(search, 'role', ['ADMIN', 'AUDITOR', 'MEMBER', 'SERVICE']),
    ...readChoice(search, 'status', ['ACTIVE', 'SUSPENDED']),
    ...readChoice(search, 'order', ['EMAIL_ASC', 'CREATED_DESC']),
    ...readText(search, 'after'),
  };
}
