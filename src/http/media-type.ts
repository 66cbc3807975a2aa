/** Whether a `Content-Type` is `application/json`, with or without parameters such as a charset. */
export function isJson(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').split(';');
  return type.trim().toLowerCase() === 'application/json';
}
