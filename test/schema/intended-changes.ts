/**
 * Changes since the last release that break clients, on purpose: `type: description`, as graphql-js names them. Each one is
 * also in CHANGELOG.md. A release empties this list, and copies `schema.graphql` to `last-release.graphql`. Until the first
 * release, that file is the schema that this list began with.
 */
export const INTENDED_CHANGES: readonly string[] = [
  'FIELD_CHANGED_KIND: AuditLogEntry.id changed type from String! to ID!.',
];
