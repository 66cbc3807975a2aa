import { writeFileSync } from 'node:fs';
import { formatLimits } from './limits-document.ts';

// Writes docs/limits.md from src/limits/.

writeFileSync(new URL('../docs/limits.md', import.meta.url), formatLimits());
