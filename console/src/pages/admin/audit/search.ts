import type { AuditAction, AuditOutcome } from '../generated/graphql.ts';
import { readChoice, readText, type Search } from '../parts/search.ts';
import { ACTIONS } from './actions.ts';

/** The filters of the audit log. */
export interface AuditSearch {
  action?: AuditAction;
  outcome?: AuditOutcome;
  /** Id of the user who did it. */
  actor?: string;
  /** Id of what it was done to. */
  target?: string;
  /** From then on, in the browser's time zone: `2026-11-29T08:00`. */
  since?: string;
  until?: string;
  /** Cursor of the last entry of the page before. */
  after?: string;
}

/** Reads the address of the audit log. */
export function readAuditSearch(search: Search): AuditSearch {
  return {
    ...readChoice(search, 'action', Object.keys(ACTIONS) as AuditAction[]),
    ...readChoice(search, 'outcome', ['SUCCESS', 'DENIED', 'FAILED']),
    ...readText(search, 'actor'),
    ...readText(search, 'target'),
    ...readTime(search, 'since'),
    ...readTime(search, 'until'),
    ...readText(search, 'after'),
  };
}

function readTime<Name extends string>(search: Search, name: Name): { [key in Name]?: string } {
  const value = search[name];
  const isTime = typeof value === 'string' && !Number.isNaN(Date.parse(value));
  return (isTime ? { [name]: value } : {}) as { [key in Name]?: string };
}
