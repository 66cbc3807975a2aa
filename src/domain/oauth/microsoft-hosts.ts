/**
 * The sign-in hosts of Microsoft Entra: the public cloud with its older names, the national and sovereign clouds, Azure AD
 * B2C and External ID for customers. From Microsoft's documentation on national clouds and the lists in its own libraries.
 * A customer's own domain cannot be recognized.
 */
const HOSTS = [
  'login.microsoftonline.com',
  'login.microsoft.com',
  'login.windows.net',
  'sts.windows.net',
  'login.microsoftonline.us',
  'login-us.microsoftonline.com',
  'login.usgovcloudapi.net',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  'login.microsoftonline.de',
  'login.sovcloud-identity.fr',
  'login.sovcloud-identity.de',
  'login.sovcloud-identity.sg',
  'b2clogin.com',
  'b2clogin.us',
  'b2clogin.cn',
  'ciamlogin.com',
  'ciamlogin.us',
  'ciamlogin.cn',
];

/**
 * Whether a host belongs to Microsoft Entra. Its v2 endpoints name the resource in the scopes, and refuse a `resource`
 * parameter beside them (AADSTS9010010, AADSTS901002).
 */
export function isMicrosoftHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return HOSTS.some((host) => name === host || name.endsWith(`.${host}`));
}
