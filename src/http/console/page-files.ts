/** The files that the pages of the gateway load: URL paths with a hash of the content, so that browsers can keep them. */
export interface PageFiles {
  icon: string;
  /** The style of the pages around signing in and out, and connecting an account. */
  style: string;
  /** Tells the window that opened a connection that it is done. */
  connectedScript: string;
  playgroundStyle: string;
  playgroundScript: string;
}

/** The sources of the files, as the manifest of the build calls them. */
const SOURCES: Readonly<Record<keyof PageFiles, string>> = {
  icon: 'src/icon.svg',
  style: 'src/standalone/page.css',
  connectedScript: 'src/standalone/connected.ts',
  playgroundStyle: 'src/standalone/playground.css',
  playgroundScript: 'src/standalone/playground.ts',
};

/**
 * Finds the files in the manifest of the console's build.
 *
 * @throws {Error} if one is missing: the build is of another version
 */
export function findPageFiles(manifest: string): PageFiles {
  const built = JSON.parse(manifest) as Record<string, { file: string }>;
  const find = (name: keyof PageFiles): string => {
    const entry = built[SOURCES[name]];
    if (entry === undefined) throw new Error(`The build of the console has no ${SOURCES[name]}. Run "npm run build".`);
    return `/${entry.file}`;
  };
  return {
    icon: find('icon'),
    style: find('style'),
    connectedScript: find('connectedScript'),
    playgroundStyle: find('playgroundStyle'),
    playgroundScript: find('playgroundScript'),
  };
}
