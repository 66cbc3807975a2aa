import { pickDigested, type ToolDefinition } from './tool-definition.ts';
import { forEachText, hasBidiControl, hasInvisible } from './tool-text.ts';

/** What an admin should look at before a model reads the tool. */
export const TOOL_WARNINGS = [
  'INVISIBLE_CHARACTERS',
  'BIDI_CONTROLS',
  'LOOK_ALIKE_NAME',
  'RENAMED',
  'REMOTE_REFERENCE',
] as const;
/** One of them. */
export type ToolWarning = (typeof TOOL_WARNINGS)[number];

/** The warnings that a definition gives by itself. `LOOK_ALIKE_NAME` needs the tools of other servers, `RENAMED` the slug. */
export function findWarnings(tool: ToolDefinition): ToolWarning[] {
  const found = new Set<ToolWarning>();
  forEachText(pickDigested(tool), (text, key) => {
    if (hasBidiControl(text)) found.add('BIDI_CONTROLS');
    if (hasInvisible(text)) found.add('INVISIBLE_CHARACTERS');
    if (key === '$ref' && !text.startsWith('#')) found.add('REMOTE_REFERENCE');
  });
  return TOOL_WARNINGS.filter((warning) => found.has(warning));
}
