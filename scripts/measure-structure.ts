import { findCircles, listUndocumentedExports, readSources, type SourceFile } from './source-files.ts';

// Prints the figures of docs/adr/0008: npx tsx scripts/measure-structure.ts src [another src …]

for (const folder of process.argv.slice(2)) console.log(folder, measure(await readSources(folder)));

function measure(files: readonly SourceFile[]) {
  const byLength = files.toSorted((a, b) => a.lines - b.lines);
  const longest = byLength.at(-1);
  const gateway = files.find(({ name }) => name === 'gateway.ts');
  return {
    files: files.length,
    medianLines: byLength[Math.floor(files.length / 2)]?.lines,
    longestFile: `${longest?.name}: ${longest?.lines}`,
    circles: findCircles(files).length,
    linesOfGateway: gateway?.lines,
    importsOfGateway: gateway?.text.match(/^import /gm)?.length,
    undocumentedExports: listUndocumentedExports(files).length,
  };
}
