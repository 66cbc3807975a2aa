import { test } from 'vitest';
import { makePlace, stop } from '../setup/place.ts';
import { startTraceReceiver } from '../setup/trace-receiver.ts';

const LONG = '600000';

// At the same time: the second one waits for a receiver that never answers, for as long as a gateway does. Such tests use their
// own `expect`: the imported one would not know whose it is.

test.concurrent('the variables of OpenTelemetry start tracing, and the last spans are sent before the gateway ends', async ({
  expect,
  onTestFinished,
}) => {
  const receiver = await startTraceReceiver();
  const place = await makePlace({
    anyDatabase: true,
    atEnd: onTestFinished,
    env: {
      ...receiver.env,
      // Nothing is sent before the end.
      OTEL_BSP_SCHEDULE_DELAY: LONG,
      OTEL_SERVICE_NAME: 'gatehouse-of-tests',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=canary-of-the-collector',
    },
  });
  const gateway = await place.serve();
  expect(await place.ask('query Last { viewer { role } }')).toEqual({ viewer: { role: 'ADMIN' } });
  expect(receiver.texts).toEqual([]);
  await stop(gateway);
  const operation = receiver.spans.find(({ attributes }) => attributes['graphql.operation.name'] === 'Last');
  expect(operation).toMatchObject({ name: 'query', kind: 1 });
  const [line] = gateway
    .output()
    .split('\n')
    .filter((each) => each.includes('"operation":"Last"'));
  expect(JSON.parse(line ?? '')).toMatchObject({ trace_id: operation?.traceId, span_id: operation?.spanId });
  const text = receiver.texts.join('');
  for (const part of ['gatehouse-of-tests', 'deployment.environment.name', 'service.version']) {
    expect(text).toContain(part);
  }
  expect(`${text}${gateway.output()}`).not.toContain('canary-of-the-collector');
  receiver.close();
});

test.concurrent('a receiver that never answers holds up neither requests nor the end of the gateway', async ({
  expect,
  onTestFinished,
}) => {
  const receiver = await startTraceReceiver({ isSilent: true });
  const patience = { OTEL_EXPORTER_OTLP_TIMEOUT: LONG, OTEL_BSP_EXPORT_TIMEOUT: LONG };
  const place = await makePlace({
    anyDatabase: true,
    atEnd: onTestFinished,
    env: { ...receiver.env, ...patience, OTEL_BSP_MAX_QUEUE_SIZE: '1' },
  });
  const gateway = await place.serve();
  await place.ask('{ viewer { role } }');
  await expect.poll(() => receiver.texts.length, { timeout: 60_000 }).toBe(1);
  for (let count = 0; count < 20; count += 1) {
    expect(await place.ask('{ viewer { role } }')).toEqual({ viewer: { role: 'ADMIN' } });
  }
  await stop(gateway);
  receiver.close();
});
