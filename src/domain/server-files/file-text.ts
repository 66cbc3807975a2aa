import { parse as parseToml, TomlError } from 'smol-toml';
import { isScalar, parseDocument, visit } from 'yaml';
import { validationFailed } from '../../errors.ts';
import { parseJsonc } from '../validation/json-text.ts';

/**
 * Parses the text of a file: JSON with comments, TOML (Codex) or YAML (LibreChat, LiteLLM). What the text looks like
 * decides, because files have no name here.
 *
 * @throws VALIDATION_FAILED with the position of a syntax error; the message quotes nothing from the text
 */
export function parseFileText(text: string): unknown {
  const parsed = parseJsonc(text);
  if (parsed.ok) return parsed.value;
  if (isLikeToml(text)) return readToml(text);
  if (isLikeYaml(text)) return readYaml(text);
  const { line, column, message } = parsed.problem;
  throw problem('INVALID_JSON', `Is not JSON at line ${line}, column ${column}: ${message}`);
}

/** The first line that is neither empty nor a comment. */
function firstLine(text: string): string {
  return /^\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*([^\r\n]*)/.exec(text)?.[1] ?? '';
}

/** A table such as `[mcp_servers.docs]`, or `key = value`. */
function isLikeToml(text: string): boolean {
  const line = firstLine(text);
  return /^\[\[?[\w."' -]+\]\]?\s*(?:#|$)/.test(line) || /^[\w."'-]+\s*=/.test(line);
}

/** `key:`, a list, or the beginning of a document. */
function isLikeYaml(text: string): boolean {
  const line = firstLine(text);
  return /^(?:---|%YAML|- )/.test(line) || /^(?:[\w.$/-]+|"[^"]*"|'[^']*')\s*:(?:\s|$)/.test(line);
}

function readToml(text: string): unknown {
  try {
    return parseToml(text.replace(/^\ufeff/, ''));
  } catch (error) {
    const where = error instanceof TomlError ? ` at line ${error.line}, column ${error.column}` : '';
    throw problem('INVALID_TOML', `Is not TOML${where}.`);
  }
}

function readYaml(text: string): unknown {
  try {
    const document = parseDocument(text, { merge: true, logLevel: 'silent' });
    const [error] = document.errors;
    if (error !== undefined) {
      const [start] = error.linePos ?? [];
      const where = start === undefined ? '' : ` at line ${start.line}, column ${start.col}`;
      throw problem('INVALID_YAML', `Is not YAML${where}.`);
    }
    // As it is written: a version 1.10 or a key 0123 would become another number.
    visit(document, {
      Scalar(_key, node) {
        if (typeof node.value === 'number' && isScalar(node) && node.source !== undefined) node.value = node.source;
      },
    });
    return document.toJS();
  } catch (error) {
    if (error instanceof Error && error.name === 'DomainError') throw error;
    // Nested too deeply, or too many aliases.
    throw problem('INVALID_YAML', 'Is YAML that is nested too deeply or repeats itself too often.');
  }
}

function problem(code: string, message: string): Error {
  return validationFailed([{ path: [], code, message }]);
}
