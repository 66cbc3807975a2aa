/**
 * Changes since the last release that break clients, on purpose: `type: description`, as graphql-js names them. Each one is
 * also in CHANGELOG.md. A release empties this list, and copies `schema.graphql` to `last-release.graphql`. Until the first
 * release, that file is the schema that this list began with.
 */
export const INTENDED_CHANGES: readonly string[] = [
  'FIELD_CHANGED_KIND: AuditLogEntry.id changed type from String! to ID!.',
  // One payload for each mutation. It has the fields of the former result, so only fragments on that type break.
  'FIELD_CHANGED_KIND: Mutation.addEncryptionKey changed type from EncryptionKey! to AddEncryptionKeyPayload!.',
  'FIELD_CHANGED_KIND: Mutation.createChat changed type from Chat! to CreateChatPayload!.',
  'FIELD_CHANGED_KIND: Mutation.createChatMessage changed type from ChatMessage! to CreateChatMessagePayload!.',
  'FIELD_CHANGED_KIND: Mutation.createMcpServerConfig changed type from McpServerConfig! to CreateMcpServerConfigPayload!.',
  'FIELD_CHANGED_KIND: Mutation.createUser changed type from User! to CreateUserPayload!.',
  'FIELD_CHANGED_KIND: Mutation.revokeEncryptionKey changed type from EncryptionKey! to RevokeEncryptionKeyPayload!.',
  'FIELD_CHANGED_KIND: Mutation.rotateEncryptionKeys changed type from EncryptionKeyRotation! to RotateEncryptionKeysPayload!.',
  'FIELD_CHANGED_KIND: Mutation.testMcpServer changed type from McpServerTest! to TestMcpServerPayload!.',
  'FIELD_CHANGED_KIND: Mutation.updateMcpServerConfig changed type from McpServerConfig! to UpdateMcpServerConfigPayload!.',
  'FIELD_CHANGED_KIND: Mutation.updateUser changed type from User! to UpdateUserPayload!.',
  'FIELD_CHANGED_KIND: Mutation.verifyEncryptedValues changed type from EncryptedValueVerification! to VerifyEncryptedValuesPayload!.',
];
