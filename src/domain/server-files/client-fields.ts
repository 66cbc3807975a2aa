import { type FieldReader, isObject } from './field-reader.ts';
import type { HeaderTemplate } from './imported-server.ts';
import { listSlots } from './secret-template.ts';

const TITLES = ['title', 'displayName', 'display_name', 'label', 'name', 'server_name', 'server_label'];
const ICONS = ['iconUrl', 'icon_url', 'iconPath', 'icon', 'logo_url', 'logoUrl'];

/** The placeholders that LibreChat and Open WebUI fill with facts about the user or the chat. */
const USER_VALUE = /^\s*(?:LIBRECHAT_|USER_(?:ID|EMAIL|NAME|ROLE)\b|CHAT_ID\b|MESSAGE_ID\b)/;

/** The name for people. Undefined if the entry has none. */
export function readTitle(reader: FieldReader): string | undefined {
  const titles = TITLES.map((field) => reader.take(field)?.value);
  return titles.find((each) => typeof each === 'string' && each.trim() !== '') as string | undefined;
}

/** The icon, if it is at an https URL. Others, such as a path, are dropped silently: nobody misses them. */
export function readIconUrl(reader: FieldReader): string | undefined {
  const icons = ICONS.map((field) => reader.take(field)?.value);
  return icons.find((each) => typeof each === 'string' && /^https:\/\//i.test(each)) as string | undefined;
}

/** Whether the entry is switched off: `disabled` (Cline, Windsurf), `enabled` (Codex, opencode), `isActive` (Cherry). */
export function readIsDisabled(reader: FieldReader): boolean {
  const isOn = reader.flag('enabled', 'isActive', 'is_active', 'active');
  const isOff = reader.flag('disabled', 'isDisabled', 'is_disabled');
  return isOff === true || isOn === false;
}

/** What LibreChat asks each user for: their descriptions by placeholder, and a note that here all users share a value. */
export function readUserVariables(reader: FieldReader): { descriptions: [string, string][]; notes: string[] } {
  const variables = reader.object('customUserVars', 'custom_user_vars');
  const descriptions = (variables?.entries() ?? []).flatMap(([name, value]): [string, string][] => {
    const text = isObject(value) ? (value['description'] ?? value['title']) : undefined;
    return typeof text === 'string' && text !== '' ? [[name, text]] : [];
  });
  const hasAny = (variables?.entries() ?? []).length > 0;
  const note = 'In the file, each user has their own values ("customUserVars"). Here, all users share one.';
  return { descriptions, notes: hasAny ? [note] : [] };
}

/** Leaves out headers with facts about the user, which the gateway does not send. */
export function withoutUserValues(headers: readonly HeaderTemplate[]): { kept: HeaderTemplate[]; notes: string[] } {
  const isOfUser = ({ template }: HeaderTemplate) => listSlots(template).some((name) => USER_VALUE.test(name));
  const kept = headers.filter((header) => !isOfUser(header));
  const notes = kept.length < headers.length ? ['Headers with facts about the user or the chat were left out.'] : [];
  return { kept, notes };
}
