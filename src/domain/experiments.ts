import { DomainError } from '../errors.ts';

/** Features that an operator can leave disabled. `agents` covers everything about MCP servers. */
export const EXPERIMENTS = ['agents'] as const;

/** A feature that can be left disabled. */
export type Experiment = (typeof EXPERIMENTS)[number];

/** @throws EXPERIMENT_DISABLED */
export function assertExperiment(enabled: ReadonlySet<Experiment>, experiment: Experiment): void {
  if (enabled.has(experiment)) return;
  throw new DomainError(
    'EXPERIMENT_DISABLED',
    `This gateway runs without the "${experiment}" experiment; its operator can add it to GATEHOUSE_EXPERIMENTS.`,
    { experiment },
  );
}
