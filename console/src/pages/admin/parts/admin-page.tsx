import type { ReactNode } from 'react';
import { NotFound } from '../../../app/not-found.tsx';
import { useCan } from '../../../app/viewer.tsx';

/** Shows a page to those who may do what it needs, and asks for nothing otherwise. */
export function AdminOnly({ action, children }: { action: string; children: ReactNode }) {
  return useCan(action) ? children : <NotFound />;
}
