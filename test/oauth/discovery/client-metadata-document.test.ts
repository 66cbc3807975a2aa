import { describe, expect, test } from 'vitest';
import {
  canUseMetadataDocument,
  toClientMetadataDocument,
} from '../../../src/domain/oauth/discovery/client-metadata-document.ts';

const CLIENT = {
  clientId: 'https://gatehouse.example.com/oauth2/client.json',
  redirectUri: 'https://gatehouse.example.com/oauth2/callback',
  clientName: 'Gatehouse',
  clientUri: 'https://gatehouse.example.com',
};

describe("the client's metadata document", () => {
  test('describes the client under its own URL, without a secret', () => {
    expect(toClientMetadataDocument(CLIENT)).toEqual({
      client_id: 'https://gatehouse.example.com/oauth2/client.json',
      client_name: 'Gatehouse',
      client_uri: 'https://gatehouse.example.com',
      redirect_uris: ['https://gatehouse.example.com/oauth2/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
  });

  test.each(['https://gatehouse.example.com:8443/client.json', 'https://192.0.2.1/c'])('may be at %s', (clientId) => {
    expect(toClientMetadataDocument({ ...CLIENT, clientId })).toMatchObject({ client_id: clientId });
  });

  test.each([
    'http://gatehouse.example.com/client.json',
    'https://gatehouse.example.com',
    'https://gatehouse.example.com/',
    'https://user@gatehouse.example.com/client.json',
    'https://gatehouse.example.com/client.json#x',
    'https://gatehouse.example.com/client.json?x=1',
    'https://gatehouse.example.com/a/../client.json',
    'https://gatehouse.example.com/./client.json',
    'https://gatehouse.example.com/%2e%2e/client.json',
    'https://gatehouse.example.com:443/client.json',
    'client.json',
    '',
  ])('is not made for the client id "%s"', (clientId) => {
    expect(() => toClientMetadataDocument({ ...CLIENT, clientId })).toThrow(RangeError);
  });

  test.each<[string, boolean]>([
    ['https://gatehouse.example.com', true],
    ['https://gatehouse.example.com:8443/base', true],
    ['http://gatehouse.example.com', false],
    ['http://localhost:4000', false],
    ['https://localhost:4000', false],
    ['https://127.0.0.1', false],
    ['https://127.9.9.9', false],
    ['https://[::1]:4000', false],
    ['gatehouse.example.com', false],
    ['', false],
  ])('of a gateway at "%s" can be fetched by others: %s', (publicUrl, expected) => {
    expect(canUseMetadataDocument(publicUrl)).toBe(expected);
  });
});
