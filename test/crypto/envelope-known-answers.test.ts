import { describe, expect, test } from 'vitest';
import { openEnvelope, type SealedPlace, sealWithSalt } from '../../src/crypto/envelope.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import { sealV1 } from '../setup/seal-v1.ts';

interface KnownAnswer {
  name: string;
  key: string;
  digest: string;
  salt: string;
  plaintext: string;
  /** Absent in the format `v1`. */
  origins?: string[];
  place: SealedPlace;
  sealed: string;
}

/**
 * Frozen. The values come from a separate implementation of HKDF, AES, GCM and the format in another language, which
 * was checked against test case 14 of the GCM specification. If one of these fails, values stored today can no longer
 * be decrypted: do not change the vector, add a format next to the others.
 */
const KNOWN_ANSWERS: KnownAnswer[] = [
  {
    name: 'an empty text, without an owner',
    key: 'AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=',
    digest: '7f281f98e36d645f58128c610331924781f47fd77e9776827821f9435313743c',
    salt: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    plaintext: '',
    place: {
      table: 'mcp_server_configs',
      column: 'api_key_value',
      rowId: '0b5e2f0e-7d1a-4c52-9d53-5a6a3b0c9f11',
      ownerId: undefined,
    },
    sealed:
      'v1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8tL91KK2tcSNoIBY8f2BZEpVT33-xzdSjcmWy5W83r3HmnL48SCmcYIXz5tV-2EOc',
  },
  {
    name: 'a text of more than one block, without an owner',
    key: 'AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=',
    digest: '7f281f98e36d645f58128c610331924781f47fd77e9776827821f9435313743c',
    salt: 'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0',
    plaintext: 'sk-live-0123456789',
    place: {
      table: 'mcp_server_configs',
      column: 'oauth2_client_secret',
      rowId: '0b5e2f0e-7d1a-4c52-9d53-5a6a3b0c9f11',
      ownerId: undefined,
    },
    sealed:
      'v1:__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eC7QLmXI_A8q9hFKPfORNns1TEp365o4SHsxJdw3AdsXSVEgR54LCKojbeWDFus_-17h65nu5x5wxPvx9eb0tGjn18',
  },
  {
    name: 'Unicode with a zero character, of an owner',
    key: 'FjZ6rLZ6SgF8jairlWgsyzkIY3gPcRTdoKDgxVZEx8Q=',
    digest: 'de4ea06f60db40518ef3fcf81f278a76be9667727e351d5a34654ae3812b9939',
    salt: '63479ad69a090b258277ec8fba6f99419a2ffb248981510657c944ccd1148e97',
    plaintext: 'Z\u00fcrich \u6771\u4eac \u{1f510} \0 end',
    place: {
      table: 'mcp_server_user_tokens',
      column: 'refresh_token',
      rowId: 'a9a0a9fd-2a3f-4fd8-8b1f-7f2f7d3b1c22',
      ownerId: '5d0a6d2e-31c4-4ef1-8a55-0c7f6a1d2e33',
    },
    sealed:
      'v1:Y0ea1poJCyWCd-yPum-ZQZov-ySJgVEGV8lEzNEUjpc_KyrlP1Ei0tNoSpo6eqPLwzWkvKYjwxQBrpHJHXmzcr7XGqBSgZnpKTTsqVvVvBTpSnhuKt1EFEWhgnCgSbcSuRygbKzaGEa4',
  },
  {
    name: 'v2 with no origins',
    key: 'AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=',
    digest: '7f281f98e36d645f58128c610331924781f47fd77e9776827821f9435313743c',
    salt: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    plaintext: 'gatehouse canary',
    origins: [],
    place: { table: 'encryption_keys', column: 'canary', rowId: '7', ownerId: undefined },
    sealed:
      'v2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh_giQIhsGh28gqihx9qCt_uw1BDEGzCaYZEZOP-woutflxVIIMwDSQHS3dE9BPj3Rsux5_3fz9p1nBKubfeaN_25wEUkQ',
  },
  {
    name: 'v2 with two origins',
    key: 'AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=',
    digest: '7f281f98e36d645f58128c610331924781f47fd77e9776827821f9435313743c',
    salt: 'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0',
    plaintext: 'sk-live-0123456789',
    origins: ['https://api.example.com', 'https://mcp.example.com:8443'],
    place: {
      table: 'mcp_server_configs',
      column: 'oauth2_client_secret',
      rowId: '0b5e2f0e-7d1a-4c52-9d53-5a6a3b0c9f11',
      ownerId: undefined,
    },
    sealed:
      'v2:__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eCvcG0jeCXI0TOu3HKojim7tRRqR8dU2R1nu4JCmVies8RiY7vi_GYP_tZATuyxsdH7eGwG1a5V8VgBWDwsHKJnnS3Tf7HOhQFhWV-C6V8iPV1FOTmMi3hHWhFm1qhXJ3VbStoc3_-wkzZNNiWCIMzNxqQ1yUQ-kK7iPQ_aF2w-oMk',
  },
  {
    name: 'v2 with other alphabets in the text and the origins, of an owner',
    key: 'FjZ6rLZ6SgF8jairlWgsyzkIY3gPcRTdoKDgxVZEx8Q=',
    digest: 'de4ea06f60db40518ef3fcf81f278a76be9667727e351d5a34654ae3812b9939',
    salt: '63479ad69a090b258277ec8fba6f99419a2ffb248981510657c944ccd1148e97',
    plaintext: 'Z\u00fcrich \u6771\u4eac \u{1f510} \0 end',
    origins: ['http://[::1]:3000', 'https://xn--bcher-kva.example'],
    place: {
      table: 'mcp_server_user_tokens',
      column: 'refresh_token',
      rowId: 'a9a0a9fd-2a3f-4fd8-8b1f-7f2f7d3b1c22',
      ownerId: '5d0a6d2e-31c4-4ef1-8a55-0c7f6a1d2e33',
    },
    sealed:
      'v2:Y0ea1poJCyWCd-yPum-ZQZov-ySJgVEGV8lEzNEUjpfpjeDle-fFQCRdoZkR7FTfvq86W2bAapWToHRrFYeqjfIfaEnRq5JHQC83a-nWx6vd-TiNK0KlKoac69V4pXSP2YWRd37o-0ChCdrfFEDVTrR-x9G0xLAcljd7DzkoDvOWBgQUsV0iH9A8yIPb3bRjsujmcXwPAHxGuiEgFYsOhxhGAA',
  },
];

describe.each(KNOWN_ANSWERS)(
  'the frozen value of $name',
  ({ key, digest, salt, plaintext, origins, place, sealed }) => {
    const masterKey = new MasterKey(Buffer.from(key, 'base64'));

    test('has this key digest', () => {
      expect(masterKey.digest).toBe(digest);
    });

    test('can be decrypted', () => {
      expect(openEnvelope(masterKey, sealed, place)).toEqual({ text: plaintext, origins: origins ?? null });
    });

    test('is the result of encrypting with its salt', () => {
      const saltBytes = Buffer.from(salt, 'hex');
      const result =
        origins === undefined
          ? sealV1(masterKey, plaintext, place, saltBytes)
          : sealWithSalt(masterKey, { text: plaintext, origins: [...origins].reverse() }, place, saltBytes);
      expect(result).toBe(sealed);
    });
  },
);
