import type { Viewer } from './viewer.tsx';

/** A link in the navigation. */
export interface NavigationLink {
  to: '/' | '/chats' | '/account' | '/admin/servers' | '/admin' | '/admin/people' | '/admin/keys' | '/admin/audit';
  text: string;
  /** What the viewer must be allowed to do. Absent: everybody has the page. */
  action?: string;
}

/** A group of links, in the order of the navigation. */
export interface NavigationGroup {
  title?: string;
  links: readonly NavigationLink[];
}

/** The navigation. The pages of admins are a group of their own. */
const NAVIGATION: readonly NavigationGroup[] = [
  {
    links: [
      { to: '/', text: 'My servers' },
      { to: '/chats', text: 'Chats', action: 'chat.create' },
      { to: '/account', text: 'My account' },
    ],
  },
  {
    title: 'Administration',
    links: [
      { to: '/admin', text: 'Overview', action: 'auditLog.read' },
      { to: '/admin/servers', text: 'Servers', action: 'mcpServerConfig.readImpact' },
      { to: '/admin/people', text: 'People', action: 'user.list' },
      { to: '/admin/keys', text: 'Keys', action: 'encryptionKey.list' },
      { to: '/admin/audit', text: 'Audit log', action: 'auditLog.read' },
    ],
  },
];

/** The links that the viewer has, by group. */
export function linksFor({ can }: Viewer): NavigationGroup[] {
  return NAVIGATION.map(({ links, ...group }) => ({
    ...group,
    links: links.filter(({ action }) => action === undefined || can.includes(action)),
  })).filter(({ links }) => links.length > 0);
}
