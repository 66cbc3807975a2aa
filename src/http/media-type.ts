/** Whether a `Content-Type` is `application/json`; parameters such as a charset are ignored. */
export function isJson(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').split(';');
  return type.trim().toLowerCase() === 'application/json';
}
