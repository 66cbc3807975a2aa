// The command that the conformance suite runs as the client, with the URL of its MCP server as the last argument. It hands
// the scenario to the gateway's process, and fails as the client there does.
const [gatewayUrl, serverUrl] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_PROTOCOL_VERSION: revision } = process.env;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const response = await fetch(gatewayUrl, {
  method: 'POST',
  body: JSON.stringify({ serverUrl, scenario, revision, context }),
});
console.error(await response.text());
process.exitCode = response.ok ? 0 : 1;
