import styles from './server-icon.module.css';

/**
 * The initials of a server. Its icon is at an address of somebody else, who would learn who looks at the page: the policy
 * of the console loads nothing from there.
 */
export function ServerIcon({ name }: { name: string }) {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '');
  const [first = '?', second] = words;
  const initials = second === undefined ? [...first].slice(0, 2) : [[...first][0], [...second][0]];
  return (
    <span className={styles.icon} aria-hidden="true">
      {initials.join('').toUpperCase()}
    </span>
  );
}
