import { CSPProvider } from '@base-ui/react/csp-provider';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import icon from '../icon.svg';
import { classNames } from '../ui/class-names.ts';
import { Notices } from '../ui/notices.tsx';
import { SessionEnded, useSessionEnded } from '../ui/session-ended.tsx';
import { Status } from '../ui/status.tsx';
import { linksFor } from './navigation.ts';
import styles from './shell.module.css';
import { Session, useViewer } from './viewer.tsx';

/** The frame around all pages: who is signed in, and where one can go. */
export function Shell() {
  return (
    <CSPProvider disableStyleElements>
      <Session>
        <Notices>
          <Frame />
        </Notices>
      </Session>
    </CSPProvider>
  );
}

function Frame() {
  const { feed } = useViewer();
  const isEnded = useSessionEnded();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  const firstPath = useRef(path);

  // On another page, the focus is at its beginning, so that the keyboard and screen readers go on from there.
  useEffect(() => {
    setIsMenuOpen(false);
    if (path !== firstPath.current) main.current?.focus({ preventScroll: true });
    firstPath.current = path;
  }, [path]);

  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <header className={styles.bar}>
        <Link to="/" className={styles.brand}>
          <img src={icon} alt="" width="28" height="28" />
          Gatehouse
        </Link>
        <button
          type="button"
          className={styles.menuButton}
          aria-expanded={isMenuOpen}
          aria-controls="navigation"
          onClick={() => setIsMenuOpen(!isMenuOpen)}
        >
          Menu
        </button>
        <Navigation isOpen={isMenuOpen} />
      </header>
      <main id="content" className={styles.content} ref={main} tabIndex={-1}>
        <div className={styles.inner}>
          <div role="status">
            {isEnded && (
              <div className={styles.ended}>
                <SessionEnded />
              </div>
            )}
            {feed === 'interrupted' && !isEnded && (
              <p className={styles.interrupted}>
                <Status tone="warn">Not live</Status> The connection to the gateway is interrupted. What you see may be
                old. Trying again.
              </p>
            )}
          </div>
          <Outlet />
        </div>
      </main>
    </div>
  );
}

function Navigation({ isOpen }: { isOpen: boolean }) {
  const viewer = useViewer();
  const isOwnServer = useRouterState({ select: ({ location }) => location.pathname.startsWith('/servers/') });
  return (
    <nav id="navigation" aria-label="Pages" className={classNames(styles.navigation, isOpen && styles.isOpen)}>
      {linksFor(viewer).map(({ title, links }) => (
        <Group key={title ?? ''} title={title}>
          {links.map(({ to, text }) => (
            <li key={to}>
              <Link
                to={to}
                className={styles.link}
                activeOptions={{ exact: to === '/' || to === '/admin' }}
                // The page of one server is a part of theirs.
                {...(to === '/' && isOwnServer && { 'aria-current': 'page' })}
              >
                {text}
              </Link>
            </li>
          ))}
        </Group>
      ))}
      <p className={styles.viewer} title={viewer.email}>
        {viewer.email}
      </p>
    </nav>
  );
}

function Group({ title, children }: { title: string | undefined; children: ReactNode }) {
  return (
    <div>
      {title !== undefined && <h2 className={styles.groupTitle}>{title}</h2>}
      <ul className={styles.links}>{children}</ul>
    </div>
  );
}
