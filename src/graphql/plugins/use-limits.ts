import { EnvelopArmorPlugin } from '@escape.tech/graphql-armor';
import type { Plugin } from 'graphql-yoga';

/** Maximum nesting depth of fields. */
export const MAX_DEPTH = 12;
/** Maximum number of aliases in a document. */
export const MAX_ALIASES = 15;
/** Maximum number of directives in a document. */
export const MAX_DIRECTIVES = 5;
/** Maximum number of lexical tokens in a document. */
export const MAX_TOKENS = 1_500;

/**
 * Refuses documents that cost more than a legitimate client needs: too deep, too long, or with too many aliases
 * (including `__typename`) or directives.
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
