/** What the page needs at least: nothing from other hosts, no inline scripts, no framing. */
const OWN_FILES_ONLY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'connect-src': "'self'",
  'img-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
};

/**
 * The Content-Security-Policy of the playground. Its editor, Monaco, positions lines and markers with `style` attributes
 * and creates `<style>` elements at run time, so inline styles are allowed. They cannot exfiltrate data, because images
 * and fonts may only come from the gateway. Workers are files of the gateway.
 */
export const PLAYGROUND_POLICY = toHeader({
  ...OWN_FILES_ONLY,
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'worker-src': "'self'",
});

/** The Content-Security-Policy of an asset. It applies to workers, which may load nothing. */
export const ASSET_POLICY = "default-src 'none'; frame-ancestors 'none'";

function toHeader(directives: Readonly<Record<string, string>>): string {
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ');
}
