import type { Viewer } from '../policy/viewer.ts';

/** How the caller proved who he is: cookie callers need the CSRF check, others cannot be forged by a browser. */
export type CredentialSource = 'none' | 'bearer' | 'cookie';

/** What a request carries through the routes. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    viewer: Viewer;
    credentialSource: CredentialSource;
  };
}
