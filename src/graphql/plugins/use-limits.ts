import { EnvelopArmorPlugin } from '@escape.tech/graphql-armor';
import type { Plugin } from 'graphql-yoga';

/** Levels of fields within each other. */
export const MAX_DEPTH = 12;
/** Aliases in a document. */
export const MAX_ALIASES = 15;
/** Directives in a document. */
export const MAX_DIRECTIVES = 5;
/** Lexical tokens of a document. */
export const MAX_TOKENS = 1_500;

/**
 * Refuses documents that cost more than an honest client needs: deep, with many aliases (`__typename` included) or
 * directives, or long.
 */
export function useLimits(): Plugin {
  return EnvelopArmorPlugin({
    maxDepth: { n: MAX_DEPTH },
    maxAliases: { n: MAX_ALIASES, allowList: [] },
    maxDirectives: { n: MAX_DIRECTIVES },
    maxTokens: { n: MAX_TOKENS },
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  }) as Plugin;
}
