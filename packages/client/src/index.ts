export type { Backoff } from './backoff.ts';
export { createGatehouseClient, type GatehouseClient } from './client.ts';
export {
  CONFIG_EVENTS,
  type ConfigEvent,
  type FeedDocument,
  type FeedEvent,
  type FeedVariables,
  type FollowedConfig,
} from './config-event.ts';
export type { ClientOptions } from './connection.ts';
export { ERROR_CODES, type ErrorCode } from './error-codes.ts';
export {
  type AnswerError,
  ConflictError,
  ConnectionFailedError,
  CursorLostError,
  type ErrorFacts,
  ForbiddenError,
  GatehouseError,
  InternalServerError,
  NotFoundError,
  RateLimitedError,
  UnauthenticatedError,
  ValidationFailedError,
  type ValidationIssue,
  VersionMismatchError,
} from './errors.ts';
export type { FollowOptions, ResetEvent } from './follow.ts';
export type { RequestOptions } from './request.ts';
export type { TypedDocument } from './typed-document.ts';
export type { WaitOptions } from './wait-for.ts';
