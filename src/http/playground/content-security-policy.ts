/** What both pages share: nothing from another host, nothing inline that runs, no frame around it. */
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

/** The Content-Security-Policy of the sign-in page. */
export const SIGN_IN_POLICY = toHeader(OWN_FILES_ONLY);

/**
 * The Content-Security-Policy of the playground. Its editor, Monaco, places each line and each mark with `style`
 * attributes in markup and with `<style>` elements that it makes while it runs, hence the inline styles; a style
 * cannot carry anything away, since images and fonts come from the gateway only. Workers are files of the gateway.
 */
export const PLAYGROUND_POLICY = toHeader({
  ...OWN_FILES_ONLY,
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'worker-src': "'self'",
});

/** The Content-Security-Policy of an asset. It counts where the asset is a worker: that one may ask for nothing. */
export const ASSET_POLICY = "default-src 'none'; frame-ancestors 'none'";

function toHeader(directives: Readonly<Record<string, string>>): string {
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ');
}
