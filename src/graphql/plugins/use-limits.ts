import { EnvelopArmorPlugin } from '@escape.tech/graphql-armor';
import type { Plugin } from 'graphql-yoga';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';

/** Maximum nesting depth of fields. */
export const MAX_DEPTH = OPERATION_LIMITS.depth.value;
/** Maximum number of aliases in a document. */
export const MAX_ALIASES = OPERATION_LIMITS.aliases.value;
/** Maximum number of directives in a document. */
export const MAX_DIRECTIVES = OPERATION_LIMITS.directives.value;
/** Maximum number of lexical tokens in a document. */
export const MAX_TOKENS = OPERATION_LIMITS.tokens.value;

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
