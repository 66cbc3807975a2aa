// The suite needs Node 22 for one function, which it uses only for server scenarios. On Node 20 it gets none.
import { register } from 'node:module';

const hooks = `
export async function resolve(specifier, context, next) {
  if (specifier !== 'fs' || !context.parentURL?.includes('/conformance/dist/')) return next(specifier, context);
  const source = 'export * from "node:fs"; export const globSync = undefined;';
  return { url: 'data:text/javascript,' + encodeURIComponent(source), shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
