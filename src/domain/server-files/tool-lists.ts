import type { ConfigInput } from '../configs/config-input.ts';
import { type FieldReader, isObject, toPlainName, toShown } from './field-reader.ts';

/** What an entry says about its tools. */
export interface ToolLists {
  plain: Pick<ConfigInput, 'toolAllowList' | 'toolDenyList' | 'enabled'>;
  notes: string[];
  /** Why the limits cannot be kept. Without them the server would allow more than the file does. */
  reason?: string;
}

/** The names of allow lists in clients' files, in plain form: Gemini CLI, Codex, LiteLLM, Goose, OpenAI, … */
const ALLOW = new Set([
  ...['allowedtools', 'allowtools', 'allowedtoolnames', 'toolsallowed', 'toolallowlist', 'toolsallowlist', 'allowlist'],
  ...[
    'includetools',
    'includedtools',
    'enabledtools',
    'enabletools',
    'availabletools',
    'toolwhitelist',
    'selectedtools',
  ],
  ...['toolswhitelist', 'whitelist', 'functionnamefilterlist', 'onlytools', 'toolnames'],
]);
/** The same for deny lists. */
const DENY = new Set([
  ...['deniedtools', 'denytools', 'deniedtoolnames', 'tooldenylist', 'toolsdenylist', 'denylist', 'disallowedtools'],
  ...[
    'excludetools',
    'excludedtools',
    'disabledtools',
    'disabletools',
    'blockedtools',
    'blocktools',
    'blockedtoolnames',
  ],
  ...['toolblocklist', 'toolsblocklist', 'blocklist', 'toolblacklist', 'toolsblacklist', 'blacklist', 'ignoretools'],
  ...['ignoredtools', 'hiddentools', 'hidetools', 'toolsdenied', 'toolsdisabled'],
]);
/** Objects with one or both lists. */
const FILTERS = new Set(['tools', 'toolfilter', 'toolsfilter', 'toolconfiguration', 'toolconfig', 'toolselection']);

const NESTED_ALLOW = new Set([...ALLOW, 'allow', 'allowed', 'include', 'included', 'only']);
const NESTED_DENY = new Set([
  ...DENY,
  'deny',
  'denied',
  'exclude',
  'excluded',
  'block',
  'blocked',
  'disallow',
  'ignore',
]);

const PATTERN = /[*?]/;

/**
 * Reads the lists of allowed and denied tools, in every spelling that clients use. A list of a wrong type is reported,
 * because a dropped allow list would allow everything.
 */
export function readToolLists(reader: FieldReader): ToolLists {
  const lists = new Lists(reader);
  const notes: string[] = [];
  for (const [name, value] of reader.entries()) {
    const plain = toPlainName(name);
    if (ALLOW.has(plain) || DENY.has(plain)) lists.add(ALLOW.has(plain), name, value);
    else if (FILTERS.has(plain)) lists.addFilter(name, value);
    else if (plain.includes('tool') && typeof value === 'object' && value !== null) {
      notes.push(`Check "${toShown(name)}": if it limits the tools, add the limits yourself.`);
    }
  }
  return lists.finish(notes);
}

class Lists {
  readonly #reader: FieldReader;
  #allowed: string[] | undefined;
  readonly #denied: string[] = [];
  #isOff = false;

  constructor(reader: FieldReader) {
    this.#reader = reader;
  }

  /** @param name a field of the entry */
  add(isAllow: boolean, name: string, value: unknown): void {
    this.#reader.take(name);
    // OpenAI's `allowed_tools` may be an object with the names, and with conditions that are not known here.
    const names = isObject(value) && Object.keys(value).length === 1 ? (value['tool_names'] ?? value) : value;
    this.#addNames(isAllow, name, names);
  }

  /** Reads `tools` and the like: a list, an object of lists, or an object that says for each tool whether it is on. */
  addFilter(name: string, value: unknown): void {
    this.#reader.take(name);
    if (!isObject(value)) {
      this.#addNames(true, name, value);
      return;
    }
    const fields = Object.entries(value).map(([field, content]) => [toPlainName(field), content] as const);
    const { mode, list } = Object.fromEntries(fields);
    if (list !== undefined) {
      this.#addNames(!NESTED_DENY.has(toPlainName(String(mode ?? 'allow'))), name, list);
      return;
    }
    const lists = fields.filter(([field]) => NESTED_ALLOW.has(field) || NESTED_DENY.has(field));
    for (const [field, content] of lists) this.#addNames(NESTED_ALLOW.has(field), name, content);
    if (value['enabled'] === false) this.#isOff = true;
    if (lists.length === 0 && !Object.hasOwn(value, 'enabled')) this.#addSwitches(value);
  }

  finish(notes: string[]): ToolLists {
    const allowed = this.#allowed?.includes('*') === true ? undefined : this.#allowed;
    if (this.#denied.some((name) => name !== '*' && PATTERN.test(name))) {
      const reason = 'Its deny list has a pattern with "*" or "?", but here a list has exact names: list each tool.';
      return { plain: {}, notes, reason };
    }
    if (allowed?.some((name) => PATTERN.test(name)) === true) {
      notes.push('Its allow list has a pattern with "*" or "?", which allows nothing here: list each tool.');
    }
    const isOff = this.#isOff || allowed?.length === 0 || this.#denied.includes('*');
    if (isOff) notes.push('It allows no tool, so it is imported disabled: an empty list would allow all of them here.');
    const denied = this.#denied.filter((name) => name !== '*');
    return {
      plain: {
        ...(allowed !== undefined && { toolAllowList: allowed }),
        ...(denied.length > 0 && { toolDenyList: denied }),
        ...(isOff && { enabled: false }),
      },
      notes,
    };
  }

  #addNames(isAllow: boolean, field: string, value: unknown): void {
    if (value === null || value === undefined) return;
    const names = toNames(value);
    if (names === undefined) {
      this.#reader.wrong(field, 'a list of the names of tools');
    } else if (!isAllow) {
      this.#denied.push(...names);
    } else {
      const known = this.#allowed;
      // Two allow lists allow what is in both.
      this.#allowed = known === undefined || known.includes('*') ? names : names.filter((name) => known.includes(name));
    }
  }

  /** `{"read": true, "delete": false}`, `{"*": {"enabled": false}, "read": {"enabled": true}}` */
  #addSwitches(switches: Readonly<Record<string, unknown>>): void {
    const states = Object.entries(switches).map(([name, value]) => [name, toState(value)] as const);
    const off = states.filter(([, state]) => state === false).map(([name]) => name);
    if (!off.includes('*')) this.#denied.push(...off);
    else
      this.#addNames(
        true,
        'tools',
        states.filter(([, state]) => state === true).map(([name]) => name),
      );
  }
}

/** A list of names or of objects with names, or names with commas between them. */
function toNames(value: unknown): string[] | undefined {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((name) => name !== '');
  if (!Array.isArray(value)) return undefined;
  const names = value.map((each: unknown) => {
    if (typeof each === 'string') return each;
    if (!isObject(each) || typeof each['name'] !== 'string') return undefined;
    return toState(each) === false ? '' : each['name'];
  });
  return names.every((name) => name !== undefined) ? names.filter((name) => name !== '') : undefined;
}

function toState(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return { allow: true, ask: true, deny: false }[value];
  return isObject(value) ? toState(value['enabled']) : undefined;
}
