import type { Secret } from '../crypto/secret.ts';

/** The transports that an upstream server may have. */
export type UpstreamTransport = 'streamable_http' | 'sse';

/** A header with a secret value. */
export interface UpstreamHeader {
  name: string;
  value: Secret;
}

/** The credentials of one operation. */
export interface UpstreamCredentials {
  headers: readonly UpstreamHeader[];
  /**
   * Identifies what the user granted, such as the id of their tokens' row. Another grant gets another connection, so a
   * user who disconnects and connects again, perhaps as somebody else, does not continue an old session.
   */
  grant: string;
}

/** An upstream server and the user for whom it is called. */
export interface UpstreamTarget {
  configId: string;
  /** The version of the config. Another version gets another connection. */
  version: number;
  /** The id of the user whose credentials are sent, or `shared` for credentials of the config. */
  owner: string;
  /**
   * Whose limit of operations at once counts: the user's, also where the credentials are the config's, so that nobody
   * takes the places of others. Absent: that of `owner`.
   */
  caller?: string;
  url: string;
  transport: UpstreamTransport;
  /**
   * Opens the credentials, at the moment when they are sent. Called once for each operation.
   *
   * @throws what the caller of the operation gets
   */
  authorize(): Promise<UpstreamCredentials>;
  /**
   * Decides again whether anything may be sent. Asked after `authorize`, when the connection is the target's already and
   * ends with the server, and before each thing that is sent on it. Much can change while credentials are opened, and
   * while a connection is made.
   *
   * @throws what the caller of the operation gets
   */
  confirm?(): Promise<void>;
}

/** A server says that its list of tools changed. */
export type OnToolsChanged = (target: Pick<UpstreamTarget, 'configId' | 'version' | 'owner'>) => void;
