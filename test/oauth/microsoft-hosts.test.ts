import { expect, test } from 'vitest';
import { isMicrosoftHost } from '../../src/domain/oauth/microsoft-hosts.ts';

test.each([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'LOGIN.microsoftonline.com',
  'login.microsoftonline.com.',
  'tenant.b2clogin.com',
])('%s belongs to Microsoft Entra', (host) => {
  expect(isMicrosoftHost(host)).toBe(true);
});

test.each([
  'login.microsoftonline.com.example',
  'notlogin.microsoftonline.com',
  'login-microsoftonline.com',
  'microsoftonline.com',
  'notb2clogin.com',
  'login.example',
  '',
])('%j does not', (host) => {
  expect(isMicrosoftHost(host)).toBe(false);
});
