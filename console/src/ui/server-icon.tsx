import { useState } from 'react';
import styles from './server-icon.module.css';

/**
 * The icon of a server, from the gateway: the servers of icons do not learn who looks at the page. Its initials where there
 * is none, and until it is there.
 */
export function ServerIcon({ name, href = null }: { name: string; href?: string | null }) {
  const [brokenHref, setBrokenHref] = useState<string>();
  if (href === null || href === brokenHref) return <Initials name={name} />;
  return <img className={styles.image} src={href} alt="" loading="lazy" onError={() => setBrokenHref(href)} />;
}

function Initials({ name }: { name: string }) {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '');
  const [first = '?', second] = words;
  const initials = second === undefined ? [...first].slice(0, 2) : [[...first][0], [...second][0]];
  return (
    <span className={styles.icon} aria-hidden="true">
      {initials.join('').toUpperCase()}
    </span>
  );
}
