import { showInvisible } from '../domain/catalogue/tool-text.ts';

/** Of the first line of a text, this many characters are shown. */
const SUMMARY_CHARACTERS = 160;

/** Text of a server, so that it cannot control a terminal: characters that nobody sees are written as `\u{…}`. */
export function toVisible(text: string): string {
  return showInvisible(text).replaceAll('\r', '\\u{d}');
}

/** Prints a line or several. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints JSON. Controls that JSON allows within texts are escaped, too: the output may be shown on a terminal. */
export function printJson(value: unknown): void {
  const json = JSON.stringify(value, undefined, 2);
  print(json.replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, toEscape));
}

/** The first line of a text, cut. */
export function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  const characters = [...line];
  return toVisible(
    characters.length > SUMMARY_CHARACTERS ? `${characters.slice(0, SUMMARY_CHARACTERS).join('')}…` : line,
  );
}

/** The names of a tool's arguments, such as `(path, encoding?)`, as far as its schema tells them. */
export function describeArguments(schema: unknown): string {
  const { properties, required } = toRecord(schema);
  const needed = new Set(Array.isArray(required) ? required : []);
  const names = Object.keys(toRecord(properties)).map((name) => `${toVisible(name)}${needed.has(name) ? '' : '?'}`);
  return `(${names.join(', ')})`;
}

/** The blocks of a result as text. What is no text is named. */
export function formatContent(content: unknown): string {
  return (Array.isArray(content) ? content : []).map((block) => formatBlock(toRecord(block))).join('\n');
}

function formatBlock({ type, text, mimeType, data, uri, resource }: Record<string, unknown>): string {
  if (type === 'text' && typeof text === 'string') return toVisible(text);
  const embedded = toRecord(resource);
  if (typeof embedded['text'] === 'string') return toVisible(embedded['text']);
  const facts = [
    type,
    mimeType ?? embedded['mimeType'],
    uri ?? embedded['uri'],
    typeof data === 'string' ? `${data.length} characters of Base64` : undefined,
  ];
  const known = facts.filter((fact) => typeof fact === 'string').map((fact) => firstLine(fact));
  return `[${known.join(' ')}]`;
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
