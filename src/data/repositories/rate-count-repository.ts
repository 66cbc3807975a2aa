import type { PrismaStore } from '../database/prisma.ts';
import { guarded } from './guarded.ts';

/** What all replicas count together, by the name of what is counted. */
export function createRateCountRepository(db: PrismaStore) {
  return {
    /**
     * Adds points to a count that ends at some time. One that has ended begins anew, with these points alone.
     *
     * @param args.endsAt when a new count ends
     */
    add: guarded(
      'credential.verify',
      async (args: {
        name: string;
        points: number;
        now: Date;
        endsAt: Date;
      }): Promise<{ points: number; endsAt: Date }> => {
        const { name, points, now, endsAt } = args;
        const [row] = await db.$queryRaw<{ points: number; endsAt: Date }[]>`
          INSERT INTO rate_counts AS c (name, points, ends_at) VALUES (${name}, ${points}, ${endsAt}::timestamptz)
          ON CONFLICT (name) DO UPDATE SET
            points = CASE WHEN c.ends_at <= ${now}::timestamptz THEN 0 ELSE LEAST(c.points, 1000000000) END + EXCLUDED.points,
            ends_at = CASE WHEN c.ends_at <= ${now}::timestamptz THEN EXCLUDED.ends_at ELSE c.ends_at END
          RETURNING points, ends_at AS "endsAt"`;
        return row ?? { points, endsAt };
      },
    ),

    /** Forgets the counts that have ended. */
    sweep: guarded('credential.verify', async (args: { now: Date }): Promise<void> => {
      await db.rateCount.deleteMany({ where: { endsAt: { lte: args.now } } });
    }),
  };
}
