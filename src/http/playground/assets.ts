import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** The path prefix of the assets, with a trailing slash. */
export const ASSETS_PATH = '/graphql/assets/';

const CONTENT_TYPES = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
} as const;

/** 9 MB: loaded when someone opens the playground, so that a gateway without a playground never loads it. */
const loadGraphiQL = () => import('@graphql-yoga/render-graphiql/graphiql');

const SOURCES = {
  'graphiql.css': async () => (await loadGraphiQL()).css,
  'graphiql.js': async () => (await loadGraphiQL()).js,
  'editor-worker.js': async () => (await loadGraphiQL()).editorWorkerService,
  'json-worker.js': async () => (await loadGraphiQL()).jsonWorker,
  'graphql-worker.js': async () => (await loadGraphiQL()).graphqlWorker,
} as const satisfies Record<string, () => Promise<string>>;

/** The name of an asset, without the hash. */
export type AssetName = keyof typeof SOURCES;

/** A file of GraphiQL. */
export interface Asset {
  /** Includes a hash of the content, so the file can be cached forever. */
  fileName: string;
  contentType: string;
  text: string;
  /** The compressed text. Compressed at the first call, then cached. */
  gzipped(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The assets, by name. */
export type Assets = ReturnType<typeof createAssets>;

/** Creates the assets of the playground: the files of GraphiQL. Each is loaded, hashed and compressed at first use. */
export function createAssets() {
  const loaded = new Map<AssetName, Promise<Asset>>();
  const load = (name: AssetName): Promise<Asset> => {
    const known = loaded.get(name) ?? loadAsset(name);
    loaded.set(name, known);
    return known;
  };
  return {
    /** The URL path of an asset. */
    async urlOf(name: AssetName): Promise<string> {
      return ASSETS_PATH + (await load(name)).fileName;
    },

    /** Finds an asset by its file name; undefined if it does not exist or the hash is of another version. */
    async find(fileName: string): Promise<Asset | undefined> {
      const name = fileName.replace(/\.[0-9a-f]+(?=\.[a-z]+$)/, '');
      if (!isAssetName(name)) return undefined;
      const asset = await load(name);
      return asset.fileName === fileName ? asset : undefined;
    },
  };
}

function isAssetName(name: string): name is AssetName {
  return Object.hasOwn(SOURCES, name);
}

async function loadAsset(name: AssetName): Promise<Asset> {
  const text = await SOURCES[name]();
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const [base, extension] = name.split('.') as [string, keyof typeof CONTENT_TYPES];
  let compressed: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return {
    fileName: `${base}.${hash}.${extension}`,
    contentType: CONTENT_TYPES[extension],
    text,
    gzipped: () => (compressed ??= promisify(gzip)(text)),
  };
}
