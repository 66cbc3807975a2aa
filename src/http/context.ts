import type { Viewer } from '../policy/viewer.ts';
import type { RepeatableAnswer } from './repeats/repeat-memory.ts';

/** Where the credential came from. Only cookies need the CSRF check: browsers do not add other credentials themselves. */
export type CredentialSource = 'none' | 'bearer' | 'cookie';

/** The variables of a request that middleware and routes share. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    viewer: Viewer;
    credentialSource: CredentialSource;
    /** Set if the answer may be sent again to the same request. */
    repeatable: RepeatableAnswer | undefined;
  };
}
